import type { DrainingMessage } from '../../protocol/messages.js';

/** Maximum connections per turn of the event loop, so that departures block nothing else. */
export const perTurn = 250;
/** Departures a second where the window allows more time than that. */
const usualPerSecond = 200;
/** Less time is not worth spreading. */
const minSpreadMs = 100;
/** Longest slot, in milliseconds. A drain ends within 2 s of the last slot's begin. */
export const maxSlotMs = 250;
/** Milliseconds after its slot in which a client opens its next connection and recovers there. */
export const maxGraceMs = 1_500;

/** The slots in which connections leave one after the other. [L-10.6] */
export class Slots {
  /** Time between the beginnings of the first slot and the last one; 0 if all leave at once. */
  readonly spreadMs: number;
  readonly lengthMs: number;

  constructor(
    private readonly count: number,
    windowMs: number,
    perSecond = usualPerSecond,
  ) {
    const spreadMs = Math.min(windowMs, (count / perSecond) * 1_000);
    this.spreadMs = spreadMs < minSpreadMs ? 0 : spreadMs;
    this.lengthMs = Math.min(maxSlotMs, this.spreadMs / 4);
  }

  startOf(place: number): number {
    return (this.spreadMs * place) / this.count;
  }

  /** For the connection at `place`, when `elapsedMs` of the window have passed. */
  message(place: number, elapsedMs: number): DrainingMessage {
    return {
      type: 'draining',
      reconnectAfterMs: Math.round(Math.max(0, this.startOf(place) - elapsedMs)),
      windowMs: Math.round(this.lengthMs),
    };
  }
}

/** Ignores errors of one connection, so that the others leave in time. */
export function attempt(run: () => void): void {
  try {
    run();
  } catch {
    // See above.
  }
}
