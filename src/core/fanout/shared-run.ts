import type { HoldBuffer } from './hold-buffer.js';

/**
 * A read or a snapshot in progress, shared by all subscribes that need it. Publications made since
 * it began are held once for all of them, so late joiners miss nothing. [L-6.1] [L-6.2]
 */
export class SharedRun<Result> {
  private users = 0;

  constructor(
    readonly hold: HoldBuffer,
    readonly result: Promise<Result>,
    private readonly onUnused: () => void,
  ) {
    // Each waiter handles a failure; without waiters no one needs to.
    result.catch(() => {});
  }

  /** Whether several waiters share it, so it may have begun before one of them joined. */
  get isShared(): boolean {
    return this.users > 1;
  }

  /** Adds a waiter, which must call `leave` when done. */
  join(): this {
    this.users += 1;
    return this;
  }

  leave(): void {
    this.users -= 1;
    if (this.users === 0) this.onUnused();
  }
}
