import type { Observer } from '../ports/observer.js';
import { LiveError } from '../../protocol/live.error.js';
import type { RatedConnection } from './rate-limit.js';

/** Maximum number of open application calls per connection before another is refused. [L-9.15] */
export const maxOpenQuestions = 16;

/**
 * A new credential gets one extra place, so that hanging authorization checks do not end the
 * session.
 */
export const maxOpenWithCredential = maxOpenQuestions + 1;

/**
 * Throws `rate-limited` if too many calls are open. Calls cannot be canceled, so subscribing and
 * unsubscribing repeatedly would otherwise create unlimited work.
 */
export function checkOpenQuestions(
  connection: RatedConnection,
  observer: Pick<Observer, 'tooFast'>,
  most = maxOpenQuestions,
): void {
  if (connection.openQuestions < most) return;
  observer.tooFast(connection, 'unsettled');
  throw new LiveError('rate-limited', 'Too many requests of this connection are in progress', {
    retryAfterMs: 1_000,
  });
}

/**
 * Counts the application's answer as open until it settles. Returns a promise for any thenable, and
 * other answers unchanged: a query that runs when `then` is called must run once.
 */
export function counted<T>(connection: RatedConnection, answer: T): T | Promise<Awaited<T>> {
  if (typeof (answer as { then?: unknown } | null | undefined)?.then !== 'function') return answer;
  connection.openQuestions += 1;
  const settled = (): void => {
    connection.openQuestions -= 1;
  };
  const promise = Promise.resolve(answer);
  promise.then(settled, settled);
  return promise;
}
