import { LiveError } from '../../protocol/live.error.js';
import type { Observer } from '../ports/observer.js';
import type { Connection } from './connection.js';

/** Questions to the application that one connection may have open before it may cause another one. [L-9.15] */
export const maxOpenQuestions = 16;

/** A new credential has one place more: a store of rights that hangs must not end the session as well. */
export const maxOpenWithCredential = maxOpenQuestions + 1;

/**
 * Throws `rate-limited` when too many are open: an application cannot be told that nobody waits for its answer any more,
 * so who asks and takes back again and again would make it work without end.
 */
export function checkOpenQuestions(
  connection: Connection,
  observer: Pick<Observer, 'tooFast'>,
  most = maxOpenQuestions,
): void {
  if (connection.openQuestions < most) return;
  observer.tooFast(connection, 'unsettled');
  throw new LiveError('rate-limited', 'Too much is under way on this connection', { retryAfterMs: 1_000 });
}

/** Counts the application's answer as open until it settles; gives it back as it is. */
export function counted<T>(connection: Connection, answer: T): T {
  if (typeof (answer as { then?: unknown } | null | undefined)?.then !== 'function') return answer;
  connection.openQuestions += 1;
  const settled = (): void => {
    connection.openQuestions -= 1;
  };
  Promise.resolve(answer).then(settled, settled);
  return answer;
}
