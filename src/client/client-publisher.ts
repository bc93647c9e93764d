import { LiveError } from '../protocol/live.error.js';
import type { ErrorMessage, PublishedMessage, PublishRequest } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import { LiveClientError } from './live-client.error.js';
import { Alarm } from './alarm.js';
import type { Port } from './port.js';

/** Maximum number of publications that wait for a connection or an answer. */
const maxPending = 1_000;

interface Pending {
  readonly text: string;
  sent: boolean;
  readonly alarm: Alarm;
  resolve(position: Position): void;
  reject(error: Error): void;
}

const unknownOutcome = (why: string): LiveClientError =>
  new LiveClientError('unknown-outcome', `The publication was sent, but ${why}: it may have been published`);

/** Sends each publication once and settles its promise. */
export class ClientPublisher {
  readonly #pending = new Map<unknown, Pending>();

  constructor(private readonly port: Port) {}

  /** Whether an answer is pending. */
  get busy(): boolean {
    return [...this.#pending.values()].some(({ sent }) => sent);
  }

  publish(message: PublishRequest): Promise<Position> {
    return new Promise((resolve, reject) => {
      const id = this.port.nextId();
      const text = JSON.stringify({ ...message, id });
      if (this.#pending.size >= maxPending) {
        throw new LiveClientError(
          'not-sent',
          `${String(maxPending)} publications are already waiting. Await earlier ones first`,
        );
      }
      const alarm = new Alarm(this.port.platform);
      alarm.set(this.port.requestTimeoutMs, () => this.#late(id));
      this.#pending.set(id, { text, sent: false, alarm, resolve, reject });
      this.flush();
    });
  }

  /** Sends queued publications in order. */
  flush(): void {
    for (const [id, pending] of this.#pending) {
      if (!this.port.ready) return;
      if (pending.sent) continue;
      const { maxMessageBytes } = this.port;
      if (new TextEncoder().encode(pending.text).length > maxMessageBytes) {
        // The server would close the connection for good.
        const limit = `A message has at most ${String(maxMessageBytes)} bytes`;
        this.#take(id)?.reject(new LiveError('limit-exceeded', limit));
        continue;
      }
      pending.sent = true;
      this.port.sendText(pending.text);
    }
  }

  answered({ id, epoch, offset }: PublishedMessage): void {
    this.#take(id)?.resolve({ epoch, offset });
  }

  /** Returns whether the error answered a publication. */
  failed({ id, code, message, retryAfterMs }: ErrorMessage): boolean {
    const pending = this.#take(id);
    pending?.reject(new LiveError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs }));
    return pending !== undefined;
  }

  /** The connection is gone. Publications that were sent are not sent again. */
  down(): void {
    for (const [id, { sent }] of this.#pending) {
      if (sent) this.#take(id)?.reject(unknownOutcome('the connection ended before the answer came'));
    }
  }

  end(error: Error): void {
    this.down();
    for (const id of this.#pending.keys()) this.#take(id)?.reject(error);
  }

  #late(id: number): void {
    const pending = this.#take(id);
    if (pending?.sent) {
      this.port.suspect();
      pending.reject(unknownOutcome('no answer came in time'));
    } else {
      pending?.reject(
        new LiveClientError('not-sent', 'No connection was established in time; nothing was published'),
      );
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
