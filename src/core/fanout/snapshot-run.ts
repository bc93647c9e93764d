import type { Wanted } from '../connection/membership.js';
import type { Publication } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';
import type { SharedRun } from './hold-buffers.js';

/** State of a topic, and the position that was read before the state was made. */
export interface Snapshot {
  readonly position: Position;
  /** JSON text, or `undefined` if the provider returned nothing. */
  readonly text: string | undefined;
  /**
   * Publications between the position and the start of the hold. They are sent before the held
   * ones.
   */
  readonly missed: readonly Publication[];
  /** The same as a list of entries. Absent if it is not the last data of each key. [L-6.11] */
  readonly asEntries?: Snapshot;
  /** In such a list: the limits of the keys, as JSON text. */
  readonly entryLimits?: string;
}

/** A snapshot as this subscriber wants it. */
export function snapshotFor(snapshot: Snapshot, { entries }: Wanted): Snapshot {
  return (entries === true && snapshot.asEntries) || snapshot;
}

/** A snapshot in progress for all subscribes that wait for it. [L-6.2] */
export type SnapshotRun = SharedRun<Snapshot>;
