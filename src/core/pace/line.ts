import type { SharedEvent } from '../frame/shared-event.js';
import type { Clock } from '../ports/clock.js';
import type { WaitingEvents } from './pace.js';

interface Place {
  readonly event: SharedEvent;
  readonly ms: number;
}

/** All waiting publications, in order. */
export class Line implements WaitingEvents {
  bytes = 0;
  private places: Place[] = [];

  constructor(private readonly clock: Clock) {}

  get oldestMs(): number | undefined {
    return this.places[0]?.ms;
  }

  get size(): number {
    return this.places.length;
  }

  add(event: SharedEvent): void {
    this.places.push({ event, ms: this.clock.now() });
    this.bytes += event.frame.bytes.byteLength;
  }

  take(): SharedEvent | undefined {
    const event = this.places.shift()?.event;
    if (event !== undefined) this.bytes -= event.frame.bytes.byteLength;
    return event;
  }

  clear(): void {
    this.places = [];
    this.bytes = 0;
  }
}
