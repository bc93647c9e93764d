// hot path
import type { SharedEvent } from '../frame/shared-event.js';
import type { WaitingEvents } from './pace.js';

/** Places to keep before the first look for those that nobody needs. */
const minPlaces = 64;

/** A publication in the log, or where one was that a newer one of its key has replaced. */
interface Place {
  readonly offset: number;
  readonly bytes: number;
  event: SharedEvent | undefined;
}

/**
 * The newest publication of each key, in the order of their offsets, for any number of readers that
 * are behind. Those without a key count as one. A publication is added once, whoever waits for it.
 */
export class ConflationLog {
  private readonly readers = new Set<Conflation>();
  private readonly byKey = new Map<string, Place>();
  private places: Place[] = [];
  private maxPlaces = minPlaces;
  private replaced: Place | undefined;

  /** Publications and keys that it keeps, also of publications that were replaced. */
  get size(): number {
    return this.places.length + this.byKey.size;
  }

  /** Adds the next publication for a reader. Returns what it has replaced. */
  add(event: SharedEvent): Place | undefined {
    if (this.places.at(-1)?.offset === event.offset) return this.replaced;
    if (this.places.length >= this.maxPlaces) this.tidy();
    // A key has at least one character, so '' is free.
    const key = event.key ?? '';
    const { offset, frame } = event;
    const place = { offset, bytes: frame.bytes.byteLength, event };
    this.replaced = this.byKey.get(key);
    if (this.replaced !== undefined) this.replaced.event = undefined;
    this.byKey.set(key, place);
    this.places.push(place);
    return this.replaced;
  }

  /** The oldest publication after an offset. */
  next(after: number): SharedEvent | undefined {
    let [low, high] = [0, this.places.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.places[middle]?.offset ?? 0) > after) high = middle;
      else low = middle + 1;
    }
    for (; low < this.places.length; low++) {
      const event = this.places[low]?.event;
      if (event !== undefined) return event;
    }
    return undefined;
  }

  join(reader: Conflation): void {
    this.readers.add(reader);
  }

  /** Keeps nothing when the last reader has left. */
  leave(reader: Conflation): void {
    if (!this.readers.delete(reader) || this.readers.size > 0) return;
    this.places = [];
    this.byKey.clear();
    this.maxPlaces = minPlaces;
  }

  /** Drops what was replaced and what every reader has taken. */
  private tidy(): void {
    let taken = Infinity;
    for (const reader of this.readers) taken = Math.min(taken, reader.taken);
    this.places = this.places.filter(({ offset, event }) => {
      if (event !== undefined && offset <= taken) this.byKey.delete(event.key ?? '');
      return event !== undefined && offset > taken;
    });
    this.maxPlaces = Math.max(minPlaces, 2 * this.places.length);
  }
}

/**
 * What one reader of a log has to get. An event taken from here covers every event it replaced
 * since the previous take: for each, a newer value of its key is either this event or still queued.
 */
export class Conflation implements WaitingEvents {
  bytes = 0;
  size = 0;
  /** Never set, because only the newest values are kept. */
  readonly oldestMs = undefined;
  /** Last offset that it needs no more. */
  taken = 0;
  /** Last offset that was added. */
  private newest = 0;

  constructor(private readonly log: ConflationLog) {}

  add(event: SharedEvent): void {
    if (this.size === 0) {
      this.taken = event.offset - 1;
      this.log.join(this);
    }
    const replaced = this.log.add(event);
    this.newest = event.offset;
    this.bytes += event.frame.bytes.byteLength;
    this.size += 1;
    if (replaced !== undefined && replaced.offset > this.taken) this.count(replaced.bytes);
  }

  take(): SharedEvent | undefined {
    if (this.size === 0) return undefined;
    const event = this.log.next(this.taken);
    // Others may have been offered more by now.
    if (event === undefined || event.offset > this.newest) return undefined;
    this.taken = event.offset;
    this.count(event.frame.bytes.byteLength);
    if (this.size === 0) this.log.leave(this);
    return event;
  }

  clear(): void {
    this.bytes = this.size = 0;
    this.log.leave(this);
  }

  /** One less. */
  private count(bytes: number): void {
    this.bytes -= bytes;
    this.size -= 1;
  }
}
