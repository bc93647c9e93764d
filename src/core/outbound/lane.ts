// hot path
import type { SharedFrame } from '../frame/shared-frame.js';

/**
 * What waits for one subscription apart from the connection's other frames, while the peer is behind: it can be merged or
 * left out there, which a frame that is on its way cannot.
 */
export interface Lane {
  /** Bytes that wait in it. */
  readonly queuedBytes: number;
  /** Messages that wait in it. */
  readonly queuedMessages: number;
  /** The next frame to be written; `undefined` when there is none, and then it is over until it is added again. */
  take(): SharedFrame | undefined;
  /** Too much waits for the peer: gives up what it can do without. */
  shed(): void;
  /** Gives up what has waited since before this moment of the clock, if it must not grow that old. */
  shedBefore(ms: number): void;
}
