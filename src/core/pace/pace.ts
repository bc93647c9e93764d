import type { SharedEvent } from '../frame/shared-event.js';

/** How one subscriber gets the publications of a topic, if not simply each of them at once. */
export interface Pace {
  /** First offset not yet covered by any frame sent. */
  readonly next: number;
  /** The subscriber has everything up to this offset and continues from there. */
  restart(after: number): void;
  /** Sends nothing more. */
  stop(): void;
}

/** Publications that wait for one or several subscribers. */
export interface WaitingEvents {
  /** Bytes of their frames. */
  readonly bytes: number;
  /** Number of publications. */
  readonly size: number;
  /** Arrival time of the oldest publication with a maximum age, or `undefined` if there is none. */
  readonly oldestMs: number | undefined;
  add(event: SharedEvent): void;
  /** Removes and returns the one with the lowest offset. */
  take(): SharedEvent | undefined;
  clear(): void;
}
