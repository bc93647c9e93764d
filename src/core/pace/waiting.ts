import type { SharedEvent } from '../frame/shared-event.js';
import type { WaitingEvents } from './pace.js';

interface Place {
  readonly event: SharedEvent;
  readonly ms: number;
}

/** All waiting publications, in order. */
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

/**
 * The newest publication of each key, in the order of their offsets. Those without a key count as
 * one. An event taken from here covers every event it replaced since the previous take: for each, a
 * newer value of its key is either this event or still queued.
 */
export class Conflation implements WaitingEvents {
  bytes = 0;
  /** Never set, because only the newest values are kept. */
  readonly oldestMs = undefined;
  private readonly newest = new Map<string, SharedEvent>();

  add(event: SharedEvent): void {
    // A key has at least one character, so '' is free.
    const key = event.key ?? '';
    this.remove(key);
    this.newest.set(key, event);
    this.bytes += event.frame.bytes.byteLength;
  }

  get size(): number {
    return this.newest.size;
  }

  take(): SharedEvent | undefined {
    for (const [key, event] of this.newest) {
      this.remove(key);
      return event;
    }
    return undefined;
  }

  clear(): void {
    this.newest.clear();
    this.bytes = 0;
  }

  private remove(key: string): void {
    const event = this.newest.get(key);
    if (event === undefined) return;
    this.newest.delete(key);
    this.bytes -= event.frame.bytes.byteLength;
  }
}
