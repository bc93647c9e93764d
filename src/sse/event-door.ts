import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Cluster } from '../core/cluster/cluster.js';
import type { Clock } from '../core/ports/clock.js';
import type { ClientAddresses } from '../ws/client-address.js';
import type { UpgradeOptions } from '../ws/upgrade.js';
import { Refusal, respond } from '../ws/refusal.js';
import { pathOf } from '../ws/request-path.js';
import { EventSessions } from './event-sessions.js';
import type { EventDoorHooks } from './event-door-hooks.js';
import type { Exchange } from './http-candidate.js';
import { type Deliver, MessagePost } from './message-post.js';
import { seal, sealingKeyOf } from './sealed-post.js';
import { StreamRequest } from './stream-request.js';

/** The options that count here. */
interface EventDoorOptions {
  readonly upgrade: Pick<UpgradeOptions, 'path' | 'upgradeTimeoutMs' | 'maxMessageBytes'>;
  readonly limits: { readonly maxTopicsPerConnection: number };
}

/** Seconds for which a browser may keep an answer about cross-origin requests. */
const preflightSeconds = '600';

/** The way in for peers whose WebSockets are blocked: an event stream, and messages by `POST`. */
export class EventDoor {
  readonly sessions = new EventSessions();
  private readonly paths: Readonly<Record<'GET' | 'POST', string>>;
  /** A stream is the last answer on its socket. */
  private readonly streaming = new WeakSet<Socket>();

  constructor(
    private readonly options: EventDoorOptions,
    private readonly cluster: Pick<Cluster, 'self' | 'forwards'>,
    private readonly addresses: ClientAddresses,
    private readonly clock: Clock,
    private readonly hooks: EventDoorHooks,
  ) {
    const { path } = options.upgrade;
    const base = path === '/' ? '' : path;
    cluster.forwards.take = (posted) => this.sessions.unseal(posted);
    this.paths = { GET: `${base}/events`, POST: `${base}/messages` };
  }

  /** Takes the requests of its two paths. Never throws. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.streaming.has(request.socket)) {
      // Its answer would wait for the end of the stream, and so would any number of others.
      request.socket.destroy();
      return true;
    }
    const path = pathOf(request);
    const method = path === this.paths.GET ? 'GET' : path === this.paths.POST ? 'POST' : undefined;
    if (method === undefined || request.httpVersionMajor !== 1) return false;
    const cors = this.hooks.cors(request);
    const address = this.addresses.of(request);
    const exchange: Exchange = { request, response, address, cors, startedMs: this.clock.now() };
    if (request.method === 'OPTIONS') allow(response, method, cors);
    else if (request.method !== method) this.refuseMethod(exchange, method);
    else this.hooks.consider(method === 'GET' ? this.streamOf(exchange) : this.postOf(exchange));
    return true;
  }

  private streamOf(exchange: Exchange): StreamRequest {
    const { maxTopicsPerConnection } = this.options.limits;
    this.streaming.add(exchange.request.socket);
    return new StreamRequest(
      exchange,
      this.cluster.self.key,
      maxTopicsPerConnection,
      this.sessions,
      this.hooks,
    );
  }

  private postOf(exchange: Exchange): MessagePost {
    const { maxMessageBytes: maxBytes, upgradeTimeoutMs: timeoutMs } = this.options.upgrade;
    return new MessagePost(exchange, { maxBytes, timeoutMs }, this.clock, this.hooks, this.deliver);
  }

  private readonly deliver: Deliver = (instance, secret, posted) => {
    const { self, forwards } = this.cluster;
    const session = EventSessions.hashOf(secret);
    if (instance === self.key) return this.sessions.receive(session, posted);
    return forwards.forward(instance, { session, sealed: seal(posted, sealingKeyOf(secret)) });
  };

  private refuseMethod({ request, response, address, cors }: Exchange, allowed: string): void {
    const refusal = new Refusal(405, `Only ${allowed} is served here`, { Allow: allowed }, 'malformed');
    this.hooks.handshake(refusal.result, address, refusal.reason);
    request.resume();
    respond(response, refusal, cors);
  }
}

/** Answers a browser that asks before a cross-origin request. [L-12.9] */
function allow(response: ServerResponse, method: string, cors: Readonly<Record<string, string>>): void {
  const isAllowed = cors['Access-Control-Allow-Origin'] !== undefined;
  response
    .writeHead(204, {
      ...cors,
      ...(isAllowed && {
        'Access-Control-Allow-Methods': method,
        'Access-Control-Allow-Headers': 'authorization, content-type, live-session, live-sequence',
        'Access-Control-Max-Age': preflightSeconds,
      }),
    })
    .end();
}
