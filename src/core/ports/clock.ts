/** Takes a timer back; harmless after it has run. */
export type Cancel = () => void;

/** Time and chance, the only ones that the core knows. No timer of a clock holds the process open. */
export interface Clock {
  /** Milliseconds that only grow; its zero means nothing. */
  now(): number;
  /** Milliseconds since 1970; may jump. */
  wallMs(): number;
  /** Runs once, `ms` from now; any finite length is right, also 100 years. */
  after(ms: number, run: () => void): Cancel;
  /** Runs as soon as what is under way in this turn of the event loop is done. */
  soon(run: () => void): void;
  /** In [0, 1). */
  random(): number;
}
