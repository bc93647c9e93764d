import type { Era, LifeRecord } from './life-record.js';
import { type Head, maxLineage, type PastEpoch } from './stored-message.js';

/**
 * A topic's end as the store's present life has it. A topic whose last message is of an earlier life has the life's epoch,
 * which its next publication will write down; what it had before is its lineage. Nothing is written by asking.
 *
 * @param pastTop its last offset when this life began; `undefined` where its last message follows what the store has lost
 */
export function asOfNow<T extends Head>(head: T, pastTop: number | undefined, record: LifeRecord): T {
  if (head.life >= record.life) return head;
  const { epoch, life } = record;
  if (pastTop === undefined) return { ...head, epoch, life, lineage: [] };
  const eras = record.before.filter((era) => era.life > head.life);
  const between = eras.slice(0, maxLineage / 2).map(endingAt(head.top));
  const own = { epoch: head.epoch, end: head.top };
  // What was appended in this life under an epoch of an earlier one may have offsets that the store has lost.
  const lineage = [...between, own, ...head.lineage].map((past) => ({
    ...past,
    end: Math.min(past.end, pastTop),
  }));
  return { ...head, epoch, life, lineage: lineage.slice(0, maxLineage) };
}

/** The lineage of a topic that nothing was published to since these eras began. */
export function untouchedSince(eras: readonly Era[]): PastEpoch[] {
  return eras.map(endingAt(0)).slice(0, maxLineage);
}

/** Whether a stream with this end continues what its reader has up to `offset` of `epoch`. */
export function continues(head: Head, epoch: string, offset: number): boolean {
  if (epoch === head.epoch) return offset <= head.top;
  return head.lineage.some((past) => past.epoch === epoch && offset <= past.end);
}

function endingAt(end: number): (era: Era) => PastEpoch {
  return ({ epoch }) => ({ epoch, end });
}
