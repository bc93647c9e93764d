import { type HoldBuffer, holdLimits } from '../fanout/hold-buffers.js';
import type { Hub } from '../fanout/hub.js';
import type { Topic } from '../fanout/topic.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Publication, RecoveryLimits } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';

/** Maximum size of one recovery. A larger one counts as unrecoverable. [L-5.4] */
export const recoveryLimits: RecoveryLimits = { count: 300, bytes: 1_048_576 };

/** Maximum read to repair a topic: a full recovery, plus what may have arrived during the read. */
export const healingLimits: RecoveryLimits = {
  count: recoveryLimits.count + holdLimits.count,
  bytes: recoveryLimits.bytes + holdLimits.bytes,
};

/** Where a subscriber starts. */
export interface Start {
  readonly position: Position;
  /** Publications between the position and the start of the hold. */
  readonly missed: readonly Publication[];
}

/** What is sent between a start and the first live publication. */
export interface Following {
  readonly frames: readonly SharedFrame[];
  /** Last offset covered by the frames. */
  readonly offset: number;
}

/**
 * Returns the missed and the held publications since a start, if they lead without a gap to the
 * topic's position. Returns `undefined` if too much was held, a publication is missing, or the
 * stream was replaced.
 */
export function followingOf(
  hub: Hub,
  topic: Topic,
  { position, missed }: Start,
  hold: HoldBuffer,
): Following | undefined {
  const { epoch } = position;
  if (hold.overflowed || !hold.follows(epoch)) return undefined;
  const frames: SharedFrame[] = [];
  let { offset } = position;
  for (const publication of missed) {
    frames.push(hub.frameOf(topic.wireName, publication));
    ({ offset } = publication);
  }
  for (const held of hold.publications) {
    if (held.offset <= offset) continue;
    if (held.offset !== offset + 1) return undefined;
    frames.push(held.frame);
    ({ offset } = held);
  }
  if (topic.continues(epoch, offset)) return { frames, offset };
  // A publication was lost here without notice.
  hub.desync(topic);
  return undefined;
}
