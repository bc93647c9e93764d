import type { LiveStatus, LiveWaiting } from './status.js';

/** Events for `on`. */
export interface LiveClientEvents {
  /** Every change of state, in order. */
  readonly status: LiveStatus;
  /** A subscription could not start or continue, and the client will retry it. */
  readonly waiting: LiveWaiting;
  /**
   * An error that ends nothing: a listener threw, a credential could not be obtained, a
   * subscription failed at its first try, or the server sent an error that answers no request.
   * Without an `error` listener, an error thrown by a listener is rethrown as uncaught, and any
   * other is dropped.
   */
  readonly error: unknown;
}

/** Tells the application. */
export type Emit = <E extends keyof LiveClientEvents>(event: E, value: LiveClientEvents[E]) => void;
