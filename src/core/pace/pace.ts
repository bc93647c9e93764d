import type { SharedEvent } from '../frame/shared-event.js';

/** How one subscriber gets the publications of a topic, where it does not simply get each of them at once. */
export interface Pace {
  /** The first offset that was neither sent nor is stood for by what was. */
  readonly next: number;
  offer(event: SharedEvent): void;
  /** It has everything up to this offset, and goes on from there. */
  restart(after: number): void;
  /** Nothing more is sent. */
  stop(): void;
}

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
