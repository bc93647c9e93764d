import type { Publication } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';
import type { SharedRun } from './shared-run.js';

/** A topic's state, and the position that was taken before it was made. */
export interface Snapshot {
  readonly position: Position;
  /** JSON text; `undefined` when the provider had nothing to say. */
  readonly text: string | undefined;
  /** What was published between the position and the start of the hold; it goes out before what was held back. */
  readonly missed: readonly Publication[];
}

/** A snapshot that is being made for everybody who waits for it. [L-6.2] */
export type SnapshotRun = SharedRun<Snapshot>;
