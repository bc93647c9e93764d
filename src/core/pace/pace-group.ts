import type { SharedEvent } from '../frame/shared-event.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { ConflationLog } from './conflation.js';
import type { OwnPace } from './own-pace.js';

/** The subscribers of a topic that get their publications at the same pace. */
export interface PaceGroup {
  /** Bytes that wait in it, counted once for all members. */
  readonly bytes: number;
  /** What waits for members that do not keep up, where the newest of each key is enough. */
  readonly log: ConflationLog;
  join(member: OwnPace): void;
  leave(member: OwnPace): void;
  /** Hands publications in order to its members, once for all. `joined` has the bytes of all. */
  offer(events: readonly SharedEvent[], joined: SharedFrame): void;
  /** Discards the queue. Offsets start over. */
  startOver(): void;
}
