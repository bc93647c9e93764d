import { CloseCode, CloseReason } from '../../protocol/codes.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { Connection } from '../connection/connection.js';
import { longestWaitMs, RateGate } from '../connection/rate-gate.js';
import type { InboundRate } from '../ports/limits.js';
import { LiveError } from '../../protocol/live.error.js';

/** What all connections of a server share of their pace. */
export interface PaceContext {
  readonly clock: Clock;
  readonly observer: Pick<Observer, 'tooFast'>;
  /** Absent where everybody may send as fast as they can. */
  readonly inboundRate?: InboundRate | undefined;
}

/**
 * In how many milliseconds the peer may send this message: 0 for now. Whoever is far too fast is closed, and told Infinity.
 * [L-9.10] [L-9.11]
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
  // Not even its close is worth reading on: it would come behind everything else that it has sent.
  connection.pauseReading();
  return Infinity;
}

/** A pong: one that answers a ping of the heartbeat is free, any other counts as a message. [L-9.12] */
export function takePong(connection: Connection, context: PaceContext, byteLength: number): void {
  if (connection.pongsDue === 0) {
    tooSoonMs(connection, context, byteLength);
    return;
  }
  connection.pongsDue -= 1;
  // A good moment: who sends nothing but pongs shall cost no memory for it.
  if (connection.gate?.isFull(context.clock.now()) === true) connection.gate = undefined;
}

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
