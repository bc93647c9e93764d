import { randomBytes } from 'node:crypto';
import { continues } from './as-of-now.js';
import type { KnownHead } from './heads.js';
import { type Content, refCount, type StoredMessage } from './stored-message.js';

/** The numbers of the messages before the one that follows this. */
export function refsAfter({ seq, refs }: KnownHead): number[] {
  // Nothing is before the first.
  return seq === 0 ? [] : [seq, ...refs.slice(0, refCount - 1)];
}

/** Whether the writer of a message knew the one before it as the store has it. */
export function follows(message: StoredMessage, before: StoredMessage): boolean {
  const { top, publications, refs } = message;
  return (
    before.top === top - publications.length &&
    continues(message, before.epoch, before.top) &&
    refsAfter(before).every((seq, i) => refs[i] === seq)
  );
}

/** The first message of a topic whose stream starts anew. */
export function birth(life: number): Content {
  return {
    epoch: randomBytes(12).toString('base64url'),
    life,
    lineage: [],
    top: 0,
    refs: [],
    tail: 0,
    publications: [],
    kept: false,
    remembered: false,
    anew: true,
  };
}
