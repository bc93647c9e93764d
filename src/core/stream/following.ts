import { type HoldBuffer, holdLimits } from '../fanout/hold-buffer.js';
import type { Hub } from '../fanout/hub.js';
import type { Topic } from '../fanout/topic.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Publication, RecoveryLimits } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';

/** How much one recovery sends at most; more counts as unrecoverable. [L-5.4] */
export const recoveryLimits: RecoveryLimits = { count: 300, bytes: 1_048_576 };

/** How much is read to heal a topic: as much as a recovery may send, and as much again as may have come meanwhile. */
export const healingLimits: RecoveryLimits = {
  count: recoveryLimits.count + holdLimits.count,
  bytes: recoveryLimits.bytes + holdLimits.bytes,
};

/** Where a subscriber starts. */
export interface Start {
  readonly position: Position;
  /** What came after the position and before the hold. */
  readonly missed: readonly Publication[];
}

/** What goes out after a start and before anything live. */
export interface Following {
  readonly frames: readonly SharedFrame[];
  /** The offset that is reached with them. */
  readonly offset: number;
}

/**
 * What was missed and what was held back since a start, if that leads without a gap to where the topic is now;
 * `undefined` when it does not: too much was held back, something was lost on the way, or the stream is another one.
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
    frames.push(hub.frameOf(topic.name, publication));
    ({ offset } = publication);
  }
  for (const held of hold.publications) {
    if (held.offset <= offset) continue;
    if (held.offset !== offset + 1) return undefined;
    frames.push(held.frame);
    ({ offset } = held);
  }
  if (topic.continues(epoch, offset)) return { frames, offset };
  // Something was lost here that nobody has noticed yet.
  hub.onDesync(topic);
  return undefined;
}
