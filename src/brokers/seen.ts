import type { Position } from '../protocol/position.js';

interface Mark {
  epoch: string;
  offset: number;
  /** The furthest offset received. */
  arrived: number;
}

/**
 * The furthest position per topic that this instance has published, received or read. If a store
 * ends before it, the store was rolled back. Bounded: topics not used lately are forgotten.
 */
export class Seen {
  // Two generations instead of an LRU list: using a topic moves it to the young one, and the old
  // one is dropped as a whole.
  private young = new Map<string, Mark>();
  private old = new Map<string, Mark>();

  constructor(private readonly maxTopics: number) {}

  /** Topics remembered now; at most `maxTopics`. */
  get size(): number {
    return this.young.size + this.old.size;
  }

  /** The furthest position of the topic, in its latest epoch. */
  get(topic: string): Readonly<Position> | undefined {
    return this.young.get(topic) ?? this.old.get(topic);
  }

  add(topic: string, epoch: string, offset: number): void {
    const mark = this.young.get(topic) ?? this.promoted(topic);
    if (mark === undefined) this.keep(topic, { epoch, offset, arrived: 0 });
    else if (mark.epoch !== epoch) {
      mark.epoch = epoch;
      mark.offset = offset;
      mark.arrived = 0;
    } else if (offset > mark.offset) mark.offset = offset;
  }

  /**
   * Records a received offset. Returns `false` if it does not follow the last received one of its
   * epoch.
   */
  arrive(topic: string, epoch: string, offset: number): boolean {
    this.add(topic, epoch, offset);
    const mark = this.young.get(topic);
    if (mark === undefined || offset <= mark.arrived) return false;
    mark.arrived = offset;
    return true;
  }

  private promoted(topic: string): Mark | undefined {
    const mark = this.old.get(topic);
    if (mark === undefined) return undefined;
    this.old.delete(topic);
    this.keep(topic, mark);
    return mark;
  }

  private keep(topic: string, mark: Mark): void {
    if (this.young.size >= this.maxTopics / 2) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(topic, mark);
  }
}
