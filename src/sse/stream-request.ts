import type { TopicRequest } from '../protocol/client-messages.js';
import type { Session } from '../core/inbound/session.js';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import { hasBody, headersFault } from '../ws/handshake.js';
import { Refusal } from '../ws/refusal.js';
import { EventSessions } from './event-sessions.js';
import { EventSocket } from './event-socket.js';
import { ListenSocket } from './listen-socket.js';
import { listeningOf } from './listening.js';
import { type Exchange, HttpCandidate } from './http-candidate.js';
import type { EventDoorHooks } from './event-door-hooks.js';

const headers = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // Proxies that buffer or compress would hold events back.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
};

/** How a stream begins and ends. */
interface Way {
  readonly stream: EventSocket;
  /** What is written before the welcome. */
  readonly first: string;
  /** Returns what is to be done at the end. */
  begin(session: Session): () => void;
}

/** A `GET` that opens an event stream. [L-12.2] */
export class StreamRequest extends HttpCandidate {
  readonly opens = true;
  /** What a client that cannot `POST` subscribes to. */
  private topics: readonly TopicRequest[] | undefined;

  constructor(
    exchange: Exchange,
    private readonly instance: string,
    private readonly maxTopics: number,
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
    if (fault !== undefined) return new Refusal(400, fault);
    try {
      this.topics = listeningOf(request, this.maxTopics);
      return undefined;
    } catch (error) {
      return new Refusal(400, (error as Error).message);
    }
  }

  admit(identity: ConnectionIdentity): void {
    const { request, response, address, hooks } = this;
    const { socket } = request;
    if (response.destroyed || !socket.writable) {
      hooks.handshake('aborted', address);
      return;
    }
    const { stream, first, begin } =
      this.topics === undefined ? this.conversation() : this.listening(this.topics);
    response.shouldKeepAlive = false;
    response.useChunkedEncodingByDefault = false;
    socket.setNoDelay(true);
    socket.setTimeout(0);
    socket.cork();
    try {
      response.writeHead(200, { ...headers, ...this.cors });
      response.flushHeaders();
      socket.write(first);
      hooks.handshake('accepted', address);
      const session = hooks.entered(stream, this, identity);
      const end = begin(session);
      // The session may already be closed by a hook; its socket is not yet.
      socket.once('close', () => {
        end();
        session.finished(1006, '');
      });
    } catch (error) {
      hooks.failed('accepting a connection', error);
      stream.terminate();
    } finally {
      socket.uncork();
    }
  }

  /** A stream whose client sends messages by `POST`. */
  private conversation(): Way {
    const { request, response, sessions, instance } = this;
    const stream = new EventSocket(response, request.socket);
    const secret = EventSessions.newSecret();
    return {
      stream,
      first: `event: session\ndata: ${instance}.${secret}\n\n`,
      begin: (session) => sessions.add(secret, session, stream),
    };
  }

  /** A stream that only listens. [L-12.12] */
  private listening(topics: readonly TopicRequest[]): Way {
    const names = topics.map(({ topic }) => topic);
    const stream = new ListenSocket(this.response, this.request.socket, names);
    return {
      stream,
      first: '',
      begin(session) {
        stream.onRead = () => session.heard();
        session.received(JSON.stringify({ type: 'subscribe', topics }));
        return () => {};
      },
    };
  }
}
