import { DisconnectsClientError, ErrorReply, SocketClosedUnexpectedlyError } from '@redis/client';
import { PublishRefusal } from '../../core/ports/publish-refusal.js';

/** Error codes of a refused write, and what they mean. */
const meanings: Readonly<Record<string, string>> = {
  OOM: 'its memory is full',
  MISCONF: 'it cannot write to disk',
  NOREPLICAS: 'it has too few replicas',
  NOPERM: 'a permission is missing',
};

/**
 * Errors of a server that accepts no writes, or not yet. Another connection may reach one that
 * does.
 */
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

/**
 * Converts the error of a publish: a `PublishRefusal` if Redis refused it, otherwise the error
 * itself.
 */
export function publishFailure(error: unknown): unknown {
  if (error instanceof DisconnectsClientError || error instanceof SocketClosedUnexpectedlyError)
    return new Error('The connection to Redis was lost before its answer: the publication may be stored', {
      cause: error,
    });
  if (!(error instanceof ErrorReply)) return error;
  // `proto-max-bulk-len`: Redis reads no argument of this size and closes the connection.
  if (error.message.includes('invalid bulk length'))
    return new PublishRefusal('too-large', 'The publication is larger than Redis accepts', { cause: error });
  const [word = 'ERR'] = /^[A-Z]+\b/.exec(error.message) ?? [];
  if (away.has(word)) return error;
  const meaning = meanings[word];
  const why = meaning === undefined ? word : `${meaning} (${word})`;
  return new PublishRefusal('refused', `Redis refuses publications: ${why}`, { cause: error });
}
