import { ErrorReply } from '@redis/client';
import { PublishRefusal } from '../../core/ports/publish-refusal.js';

/** Redis' words for a write that it does not take, and what they mean. */
const meanings: Readonly<Record<string, string>> = {
  OOM: 'its memory is full',
  MISCONF: 'it cannot write to its disk',
  NOREPLICAS: 'it has too few replicas',
  NOPERM: 'a right is missing',
};

/** The server is not the one that takes writes, or not yet: another connection may find it. */
const away = new Set([
  'READONLY',
  'LOADING',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'MOVED',
  'ASK',
  'NOAUTH',
]);

/** What a failed publish means: a refusal where Redis answered with one, else the error itself. */
export function publishFailure(error: unknown): unknown {
  if (!(error instanceof ErrorReply)) return error;
  // `proto-max-bulk-len`: Redis reads no argument of this size, and closes the connection.
  if (error.message.includes('invalid bulk length'))
    return new PublishRefusal('too-large', 'The publication is larger than Redis takes', { cause: error });
  const [word = 'ERR'] = /^[A-Z]+\b/.exec(error.message) ?? [];
  if (away.has(word)) return error;
  const meaning = meanings[word];
  const why = meaning === undefined ? word : `${meaning} (${word})`;
  return new PublishRefusal('refused', `Redis refuses publications: ${why}`, { cause: error });
}
