import type { Hold } from './hold.js';

/**
 * Something that is being read or made of a topic, for all who ask for it at that time. What is published since it began is
 * held back once for all of them, so who joins late misses nothing. [L-6.1] [L-6.2]
 */
export class SharedRun<Result> {
  private users = 0;

  constructor(
    readonly hold: Hold,
    readonly result: Promise<Result>,
    private readonly onUnused: () => void,
  ) {
    // Whoever waits hears of a failure; when nobody does any more, nobody has to.
    result.catch(() => {});
  }

  /** Whether others wait for it: it began before one of them joined. */
  get isShared(): boolean {
    return this.users > 1;
  }

  /** Everybody who waits for it joins, and leaves when done. */
  join(): this {
    this.users += 1;
    return this;
  }

  leave(): void {
    this.users -= 1;
    if (this.users === 0) this.onUnused();
  }
}
