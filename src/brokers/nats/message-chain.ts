import { randomBytes } from 'node:crypto';
import { continues } from './as-of-now.js';
import type { KnownHead } from './heads.js';
import { type Content, refCount, type StoredMessage } from './stored-message.js';

/** The sequence numbers that the next message refers back to. */
export function refsAfter({ seq, refs }: KnownHead): number[] {
  // The first message has no predecessor.
  return seq === 0 ? [] : [seq, ...refs.slice(0, refCount - 1)];
}

/** Whether the message's writer knew its predecessor as it is in the store. */
export function follows(message: StoredMessage, before: StoredMessage): boolean {
  const { top, publications, refs } = message;
  return (
    before.top === top - publications.length &&
    continues(message, before.epoch, before.top) &&
    refsAfter(before).every((seq, i) => refs[i] === seq)
  );
}

/** The first message of a topic whose stream starts over. */
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
