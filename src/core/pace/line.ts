import type { SharedEvent } from '../fanout/shared-event.js';
import type { WaitingEvents } from './waiting-events.js';

interface Place {
  readonly event: SharedEvent;
  readonly ms: number;
}

/** Publications that wait, all of them, in order. */
export class Line implements WaitingEvents {
  bytes = 0;
  private places: Place[] = [];

  get oldestMs(): number | undefined {
    return this.places[0]?.ms;
  }

  get size(): number {
    return this.places.length;
  }

  add(event: SharedEvent, ms: number): void {
    this.places.push({ event, ms });
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
