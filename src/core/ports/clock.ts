/** Cancels a timer. Has no effect after it has run. */
export type Cancel = () => void;

/**
 * The only source of time and randomness in the core. Timers of a clock do not keep the process
 * alive.
 */
export interface Clock {
  /** Monotonic milliseconds with an arbitrary zero. */
  now(): number;
  /** Milliseconds since 1970. May jump. */
  wallMs(): number;
  /** Runs once, `ms` from now. Accepts any finite delay, even 100 years. */
  after(ms: number, run: () => void): Cancel;
  /** Runs after the current turn of the event loop. */
  soon(run: () => void): void;
  /** In [0, 1). */
  random(): number;
}
