import { CloseCode, CloseReason } from '../../protocol/codes.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { Connection } from '../connection/connection.js';
import { longestWaitMs, RateGate } from '../connection/rate-gate.js';
import type { InboundRate } from '../ports/limits.js';
import { LiveError } from '../../protocol/live.error.js';

/** Rate limit state shared by all connections of a server. */
export interface PaceContext {
  readonly clock: Clock;
  readonly observer: Pick<Observer, 'tooFast'>;
  /** Absent if inbound messages are not limited. */
  readonly inboundRate?: InboundRate | undefined;
}

/**
 * Returns the milliseconds until the peer may send this message, 0 for now. A peer far above its
 * rate is closed, and the result is Infinity. [L-9.10] [L-9.11]
 */
export function tooSoonMs(
  connection: Connection,
  context: PaceContext,
  byteLength: number,
  messages = 1,
): number {
  const { inboundRate, clock, observer } = context;
  if (inboundRate === undefined || !connection.open) return 0;
  connection.gate ??= new RateGate(inboundRate);
  const waitMs = connection.gate.take(byteLength, clock.now(), messages);
  if (waitMs === 0) return 0;
  if (waitMs <= longestWaitMs) {
    observer.tooFast(connection, 'refused');
    return waitMs;
  }
  observer.tooFast(connection, 'closed');
  connection.close(CloseCode.tooManyViolations, CloseReason.tooFast);
  // Not even its close is worth reading, because it comes after everything else it sent.
  connection.pauseReading();
  return Infinity;
}

/**
 * Handles a pong. One that answers a heartbeat ping is free; any other counts as a message.
 * [L-9.12]
 */
export function takePong(connection: Connection, context: PaceContext, byteLength: number): void {
  if (connection.pongsDue === 0) {
    tooSoonMs(connection, context, byteLength);
    return;
  }
  connection.pongsDue -= 1;
  // A peer that sends only pongs should cost no memory, so drop an unused gate here.
  if (connection.gate?.isFull(context.clock.now()) === true) connection.gate = undefined;
}

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
  connection: Connection,
  observer: Pick<Observer, 'tooFast'>,
  most = maxOpenQuestions,
): void {
  if (connection.openQuestions < most) return;
  observer.tooFast(connection, 'unsettled');
  throw new LiveError('rate-limited', 'Too many requests of this connection are in progress', {
    retryAfterMs: 1_000,
  });
}

/** Counts the application's answer as open until it settles, and returns it unchanged. */
export function counted<T>(connection: Connection, answer: T): T {
  if (typeof (answer as { then?: unknown } | null | undefined)?.then !== 'function') return answer;
  connection.openQuestions += 1;
  const settled = (): void => {
    connection.openQuestions -= 1;
  };
  Promise.resolve(answer).then(settled, settled);
  return answer;
}
