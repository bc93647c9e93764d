import type { Membership, Wanted } from './membership.js';
import type { Clock } from '../ports/clock.js';
import type { RequestId } from '../../protocol/messages.js';
import type { Position } from '../../protocol/position.js';
import { LiveError } from '../../protocol/live.error.js';

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

  asksFor(since: Position | undefined, { maxRate, maxBytes }: Wanted): boolean {
    const { epoch, offset } = this.since ?? {};
    const isSame = maxRate === this.wanted.maxRate && maxBytes === this.wanted.maxBytes;
    return isSame && since?.epoch === epoch && since?.offset === offset;
  }
}

export function canceledError(): LiveError {
  return new LiveError('unavailable', 'The subscribe was canceled');
}
