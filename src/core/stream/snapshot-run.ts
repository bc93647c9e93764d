import type { Hold } from '../fanout/hold.js';
import type { Publication } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';

/** A topic's state, and the position that was taken before it was made. */
export interface Snapshot {
  readonly position: Position;
  /** JSON text; `undefined` when the provider had nothing to say. */
  readonly text: string | undefined;
  /** What was published between the position and the start of the hold; it goes out before what was held back. */
  readonly missed: readonly Publication[];
}

/**
 * A snapshot that is being made for everybody who waits for it. What was published since its position is held back
 * once for all of them, so who joins late misses nothing. [L-6.1] [L-6.2]
 */
export class SnapshotRun {
  private users = 0;

  constructor(
    readonly hold: Hold,
    readonly result: Promise<Snapshot>,
    private readonly onUnused: () => void,
  ) {
    // Whoever waits hears of a failure; when nobody does any more, nobody has to.
    result.catch(() => {});
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
