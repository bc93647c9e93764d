import type { PostResult } from '../core/cluster/signal.js';
import type { Clock } from '../core/ports/clock.js';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import { headersFault } from '../ws/handshake.js';
import { Refusal, serverUnavailable } from '../ws/refusal.js';
import type { EventDoorHooks } from './event-door-hooks.js';
import { EventSessions } from './event-sessions.js';
import { type Exchange, HttpCandidate } from './http-candidate.js';
import { type BodyLimits, readBody } from './read-body.js';
import type { Posted } from './sealed-post.js';

/** Hands messages to their session, here or on another instance. */
export type Deliver = (instance: string, secret: string, posted: Posted) => PostResult | Promise<PostResult>;

const sessionPattern = /^([\w-]{1,64})\.([\w-]{32})$/;
const sequencePattern = /^[1-9]\d{0,14}$/;

/** Types that a page cannot send to another origin without asking first. */
const types = { one: 'application/json', lines: 'application/x-ndjson' } as const;

/** A `POST` with messages of a session. [L-12.7] */
export class MessagePost extends HttpCandidate {
  readonly opens = false;

  constructor(
    exchange: Exchange,
    private readonly limits: BodyLimits,
    private readonly clock: Clock,
    private readonly hooks: EventDoorHooks,
    private readonly deliver: Deliver,
  ) {
    super(exchange);
  }

  fault(): Refusal | undefined {
    const { request } = this;
    const { headers } = request;
    const fault = headersFault(request);
    if (fault !== undefined) return new Refusal(400, fault);
    if (!Object.values<unknown>(types).includes(this.type))
      return new Refusal(415, `The content type is ${types.lines} or ${types.one}`, {}, 'malformed');
    if (headers['content-encoding'] !== undefined)
      return new Refusal(415, 'The body must not be encoded', {}, 'malformed');
    if (!sessionPattern.test(textOf(headers['live-session'])))
      return new Refusal(400, 'Bad Live-Session header');
    if (!sequencePattern.test(textOf(headers['live-sequence'])))
      return new Refusal(400, 'Bad Live-Sequence header');
    return undefined;
  }

  admit(identity: ConnectionIdentity): void {
    // Never rejects.
    void this.take(identity);
  }

  private async take(identity: ConnectionIdentity): Promise<void> {
    const { request, response, hooks, address } = this;
    const { headers } = request;
    const [, instance = '', secret = ''] = sessionPattern.exec(textOf(headers['live-session'])) ?? [];
    // It counts as pending until its body is complete, so that slow bodies are few.
    hooks.began(address);
    try {
      const body = await readBody(request, this.limits, this.clock);
      const result = await this.deliver(instance, secret, {
        user: EventSessions.hashOfUser(identity),
        sequence: Number(headers['live-sequence']),
        text: this.type === types.one ? body.replaceAll(/[\n\r]/g, ' ') : body,
      });
      const refusal = refusals[result];
      if (refusal !== undefined) this.refuse(refusal());
      else if (!response.destroyed) response.writeHead(204, this.cors).end();
    } catch (error) {
      if (!(error instanceof Refusal)) hooks.failed('taking posted messages', error);
      this.refuse(error instanceof Refusal ? error : serverUnavailable('The messages could not be taken'));
    } finally {
      hooks.decided(address);
    }
  }

  private get type(): string {
    return textOf(this.request.headers['content-type']).split(';', 1)[0]?.trim().toLowerCase() ?? '';
  }
}

const refusals: Readonly<Record<PostResult, (() => Refusal) | undefined>> = {
  taken: undefined,
  'unknown-session': () => new Refusal(404, 'Unknown session: open a new event stream'),
  'other-user': () => new Refusal(403, 'The session belongs to another user'),
  'out-of-order': () => new Refusal(409, 'An earlier POST of this session is missing', {}, 'malformed'),
  'too-large': () => new Refusal(413, 'Too much for another instance', {}, 'malformed'),
  unanswered: () => serverUnavailable('The instance of this session does not answer'),
  busy: () => new Refusal(429, 'Too many messages wait', { 'Retry-After': '1' }),
};

function textOf(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : '';
}
