import type { SharedEvent } from '../fanout/shared-event.js';

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
