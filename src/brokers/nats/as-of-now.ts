import type { Era, LifeRecord } from './life-record.js';
import { type Head, maxLineage, type PastEpoch } from './stored-message.js';

/**
 * A topic's end as seen in the store's current life. A topic last published in an earlier life has
 * the current life's epoch, which its next publication will store; its previous epochs form the
 * lineage. Writes nothing.
 *
 * @param pastTop - its last offset when this life began; `undefined` if its last message follows
 *   messages that the store has lost
 */
export function asOfNow<T extends Head>(head: T, pastTop: number | undefined, record: LifeRecord): T {
  if (head.life > record.life) return head;
  if (head.life === record.life)
    return { ...head, lineage: [...laterEras(head, record), ...head.lineage].slice(0, maxLineage) };
  const { epoch, life } = record;
  if (pastTop === undefined) return { ...head, epoch, life, lineage: [] };
  const eras = record.before.filter((era) => era.life > head.life);
  const between = eras.slice(0, maxLineage / 2).map(endingAt(head.top));
  const own = { epoch: head.epoch, end: head.top };
  // Messages appended in this life under an earlier life's epoch may reuse offsets that the store
  // has lost.
  const lineage = [...between, own, ...head.lineage].map((past) => ({
    ...past,
    end: Math.min(past.end, pastTop),
  }));
  return { ...head, epoch, life, lineage: lineage.slice(0, maxLineage) };
}

/**
 * The eras of this life that began after the topic's epoch. Its publisher did not know them yet,
 * but other instances already reported positions in them: where the topic's epoch begins.
 */
function laterEras({ epoch, lineage }: Head, record: LifeRecord): PastEpoch[] {
  const eras = [record, ...record.before];
  const own = eras.findIndex((era) => era.epoch === epoch);
  const later = eras
    .slice(0, Math.max(0, own))
    .filter((era) => lineage.every((past) => past.epoch !== era.epoch));
  return later.map(endingAt(lineage[0]?.end ?? 0));
}

/** The lineage of a topic without publications since these eras began. */
export function untouchedSince(eras: readonly Era[]): PastEpoch[] {
  return eras.map(endingAt(0)).slice(0, maxLineage);
}

/** Whether a stream with this end continues after `offset` of `epoch`. */
export function continues(head: Head, epoch: string, offset: number): boolean {
  if (epoch === head.epoch) return offset <= head.top;
  return head.lineage.some((past) => past.epoch === epoch && offset <= past.end);
}

function endingAt(end: number): (era: Era) => PastEpoch {
  return ({ epoch }) => ({ epoch, end });
}
