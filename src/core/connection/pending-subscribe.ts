import type { Membership, Wanted } from './membership.js';
import type { Clock } from '../ports/clock.js';
import type { RequestId } from '../../protocol/client-messages.js';
import type { Position } from '../../protocol/position.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Connection } from './connection.js';

/** Time limit of an operation, and the error when it is exceeded. */
export interface Deadline {
  readonly clock: Clock;
  readonly ms: number;
  error(): Error;
}

/**
 * A subscribe without an answer yet. An unsubscribe or the end of the connection cancels it.
 * [L-3.7]
 */
export class PendingSubscribe implements Membership {
  readonly live = false;
  private canceled = false;
  private onCancel: (() => void) | undefined;

  leave(): void {
    this.canceled = true;
    this.onCancel?.();
  }

  /**
   * Resolves with the result of `work`. Throws if this is canceled first, or the deadline's error
   * when it passes.
   */
  async until<T>(work: PromiseLike<T>, deadline?: Deadline): Promise<T> {
    if (this.canceled) {
      // The result is no longer awaited, so a failure must not become an unhandled rejection.
      work.then(undefined, () => {});
      throw canceledError();
    }
    let stop = (): void => {};
    const ended = new Promise<never>((_resolve, reject) => {
      if (deadline !== undefined) stop = deadline.clock.after(deadline.ms, () => reject(deadline.error()));
      this.onCancel = () => reject(canceledError());
    });
    try {
      const result = await Promise.race([work, ended]);
      this.check();
      return result;
    } finally {
      stop();
      this.onCancel = undefined;
    }
  }

  /** Throws if it was canceled. */
  check(): void {
    if (this.canceled) throw canceledError();
  }
}

/**
 * A subscribe in progress with identical ones that joined it: one check, and an answer for each.
 * [L-3.5]
 */
export class OpenSubscribe extends PendingSubscribe {
  /** Settles when it is answered. */
  done: Promise<void> = Promise.resolve();

  constructor(
    readonly ids: (RequestId | undefined)[],
    private readonly since: Position | undefined,
    private readonly wanted: Wanted,
  ) {
    super();
  }

  /** One of the joined requests was answered otherwise. Returns whether it was the last. */
  withdraw(id: RequestId | undefined): boolean {
    const place = this.ids.indexOf(id);
    if (place >= 0) this.ids.splice(place, 1);
    return this.ids.length === 0;
  }

  asksFor(since: Position | undefined, { maxRate, maxBytes, pages, entries }: Wanted): boolean {
    const { epoch, offset } = this.since ?? {};
    const { wanted } = this;
    const isSame = maxRate === wanted.maxRate && maxBytes === wanted.maxBytes;
    const looksTheSame = pages === wanted.pages && entries === wanted.entries;
    return isSame && looksTheSame && since?.epoch === epoch && since?.offset === offset;
  }
}

export function canceledError(): LiveError {
  return new LiveError('unavailable', 'The subscribe was canceled');
}

interface Answered {
  readonly topic: string;
  readonly id: RequestId | undefined;
}

/** Subscribes that have sent their answer, by connection. Usually empty. */
const answeredOf = new WeakMap<Connection, Answered[]>();

/** Records that a subscribe has sent its answer before its handler returned. [L-3.10] */
export function noteAnswered(connection: Connection, topic: string, id: RequestId | undefined): void {
  const answered = answeredOf.get(connection);
  if (answered === undefined) answeredOf.set(connection, [{ topic, id }]);
  else answered.push({ topic, id });
}

/** Returns whether this subscribe has sent its answer, and removes the record. */
export function takeAnswered(connection: Connection, topic: string, id: RequestId | undefined): boolean {
  const answered = answeredOf.get(connection);
  const place = answered?.findIndex((each) => each.topic === topic && each.id === id) ?? -1;
  if (answered === undefined || place < 0) return false;
  answered.splice(place, 1);
  if (answered.length === 0) answeredOf.delete(connection);
  return true;
}
