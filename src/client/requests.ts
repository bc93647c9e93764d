import { LiveError } from '../protocol/live.error.js';
import type { ErrorMessage, ServerMessage } from '../protocol/messages.js';
import { LiveClientError } from './live-client.error.js';
import { Alarm } from './alarm.js';
import type { Port } from './port.js';

/** Maximum number of requests that wait for a connection or an answer. */
const maxPending = 1_000;

interface Pending {
  readonly text: string;
  /** Whether it was sent on the current connection, or on the one before it. */
  sent?: 'now' | 'before';
  readonly alarm: Alarm;
  resolve(answer: ServerMessage): void;
  reject(error: Error): void;
}

const unknownOutcome = (why: string): LiveClientError =>
  new LiveClientError('unknown-outcome', `Sent, but ${why}: it may have had its effect`);

/** Sends each request once and settles its promise. */
export class Requests {
  readonly #pending = new Map<unknown, Pending>();

  constructor(private readonly port: Port) {}

  /** Whether the predecessor of the current connection still owes an answer. */
  get owed(): boolean {
    return [...this.#pending.values()].some(({ sent }) => sent === 'before');
  }

  /** Resolves with the message that answers. */
  send(message: { readonly type: string }, timeoutMs = this.port.requestTimeoutMs): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      const id = this.port.nextId();
      const text = JSON.stringify({ ...message, id });
      if (this.#pending.size >= maxPending) {
        throw new LiveClientError('not-sent', `${String(maxPending)} requests are waiting already`);
      }
      const alarm = new Alarm(this.port.platform);
      alarm.set(timeoutMs, () => this.#late(id));
      this.#pending.set(id, { text, alarm, resolve, reject });
      this.flush();
    });
  }

  /** Sends queued publications in order. */
  flush(): void {
    for (const [id, pending] of this.#pending) {
      if (!this.port.ready) return;
      if (pending.sent !== undefined) continue;
      const { maxMessageBytes } = this.port;
      if (new TextEncoder().encode(pending.text).length > maxMessageBytes) {
        // The server would close the connection for good.
        const limit = `A message has at most ${String(maxMessageBytes)} bytes`;
        this.#take(id)?.reject(new LiveError('limit-exceeded', limit));
        continue;
      }
      pending.sent = 'now';
      this.port.sendText(pending.text);
    }
  }

  answered(message: ServerMessage & { readonly id?: unknown }): void {
    this.#take(message.id)?.resolve(message);
  }

  /** Returns whether the error answered a request. */
  failed({ id, code, message, retryAfterMs }: ErrorMessage): boolean {
    const pending = this.#take(id);
    pending?.reject(new LiveError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs }));
    return pending !== undefined;
  }

  /** The connection has a successor, and stays open until it has answered. */
  replaced(): void {
    for (const pending of this.#pending.values()) if (pending.sent) pending.sent = 'before';
  }

  /** The predecessor is the current connection again. */
  back(): void {
    for (const pending of this.#pending.values()) if (pending.sent) pending.sent = 'now';
  }

  /** A connection is gone. Publications that were sent on it are not sent again. */
  down(which: Pending['sent']): void {
    for (const [id, { sent }] of this.#pending) {
      if (sent === which)
        this.#take(id)?.reject(unknownOutcome('the connection ended before the answer came'));
    }
  }

  end(error: Error): void {
    this.down('now');
    this.down('before');
    for (const id of this.#pending.keys()) this.#take(id)?.reject(error);
  }

  #late(id: number): void {
    const pending = this.#take(id);
    if (pending?.sent !== undefined) {
      this.port.suspect();
      pending.reject(unknownOutcome('no answer came in time'));
    } else {
      pending?.reject(new LiveClientError('not-sent', 'No connection came in time'));
    }
  }

  #take(id: unknown): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    pending.alarm.clear();
    this.port.settled();
    return pending;
  }
}
