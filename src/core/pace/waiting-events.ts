import type { SharedEvent } from '../fanout/shared-event.js';

/** Publications that wait for one subscriber, or for several. */
export interface WaitingEvents {
  /** Bytes of their frames. */
  readonly bytes: number;
  /** How many they are. */
  readonly size: number;
  /** When the oldest came that must not grow old; `undefined` when none is there. */
  readonly oldestMs: number | undefined;
  add(event: SharedEvent, nowMs: number): void;
  /** Takes the one with the lowest offset. */
  take(): SharedEvent | undefined;
  clear(): void;
}
