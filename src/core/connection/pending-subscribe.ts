import type { Membership, Wanted } from './membership.js';
import type { Clock } from '../ports/clock.js';
import type { RequestId } from '../../protocol/messages.js';
import type { Position } from '../../protocol/position.js';
import { LiveError } from '../../protocol/live.error.js';

/** How long something may take, and what is thrown then. */
export interface Deadline {
  readonly clock: Clock;
  readonly ms: number;
  error(): Error;
}

/** A subscribe that is not answered yet. An unsubscribe or the end of the connection cancels it. [L-3.7] */
export class PendingSubscribe implements Membership {
  readonly live = false;
  private cancelled = false;
  private onCancel: (() => void) | undefined;

  leave(): void {
    this.cancelled = true;
    this.onCancel?.();
  }

  /** What `work` comes to; throws when this is cancelled meanwhile, or the deadline's error when that is over. */
  async until<T>(work: PromiseLike<T>, deadline?: Deadline): Promise<T> {
    if (this.cancelled) {
      // Nobody waits for it any more: its failure is nobody's, and must not end the process.
      work.then(undefined, () => {});
      throw cancelledError();
    }
    let stop = (): void => {};
    const ended = new Promise<never>((_resolve, reject) => {
      if (deadline !== undefined) stop = deadline.clock.after(deadline.ms, () => reject(deadline.error()));
      this.onCancel = () => reject(cancelledError());
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

  /** Throws when it is cancelled. */
  check(): void {
    if (this.cancelled) throw cancelledError();
  }
}

/** A subscribe under way, and those that asked for the same while it was: one question, and an answer for each. [L-3.5] */
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

  /** One of those that asked is decided otherwise. Whether it was the last. */
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

export function cancelledError(): LiveError {
  return new LiveError('unavailable', 'The subscribe was cancelled');
}
