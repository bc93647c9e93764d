import type { ConnectionIdentity } from '../core/ports/identity.js';
import { hasBody, headersFault } from '../ws/handshake.js';
import { Refusal } from '../ws/refusal.js';
import { EventSessions } from './event-sessions.js';
import { EventSocket } from './event-socket.js';
import { type Exchange, HttpCandidate } from './http-candidate.js';
import type { EventDoorHooks } from './event-door-hooks.js';

const headers = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Proxies that buffer or compress would hold events back.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
};

/** A `GET` that opens an event stream. [L-12.2] */
export class StreamRequest extends HttpCandidate {
  readonly opens = true;

  constructor(
    exchange: Exchange,
    private readonly instance: string,
    private readonly sessions: EventSessions,
    private readonly hooks: EventDoorHooks,
  ) {
    super(exchange);
  }

  fault(): Refusal | undefined {
    const { request, response } = this;
    // Without its socket, the answer waits for that to an earlier request.
    if (response.socket === null)
      return new Refusal(400, 'An earlier request on this socket is still unanswered');
    if (hasBody(request)) return new Refusal(400, 'A GET must not have a body');
    const fault = headersFault(request);
    return fault === undefined ? undefined : new Refusal(400, fault);
  }

  admit(identity: ConnectionIdentity): void {
    const { request, response, address, hooks, sessions } = this;
    const { socket } = request;
    if (response.destroyed || !socket.writable) {
      hooks.handshake('aborted', address);
      return;
    }
    const stream = new EventSocket(response, socket);
    const secret = EventSessions.newSecret();
    const key = EventSessions.hashOf(secret);
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    socket.setNoDelay(true);
    socket.setTimeout(0);
    socket.cork();
    try {
      response.writeHead(200, { ...headers, ...this.cors });
      response.flushHeaders();
      socket.write(`event: session\ndata: ${this.instance}.${secret}\n\n`);
      hooks.handshake('accepted', address);
      const session = hooks.entered(stream, this, identity);
      sessions.add(key, session, stream);
      // The session may already be closed by a hook; its socket is not yet.
      socket.once('close', () => {
        sessions.remove(key);
        session.finished(1006, '');
      });
    } catch (error) {
      hooks.failed('accepting a connection', error);
      stream.terminate();
    } finally {
      socket.uncork();
    }
  }
}
