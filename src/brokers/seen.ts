import type { Position } from '../protocol/position.js';

interface Mark {
  epoch: string;
  offset: number;
  /** The furthest that was received. */
  arrived: number;
}

/**
 * The furthest position of each topic that this instance has published, received or read: a store whose end lies before it
 * has gone back. Bounded: topics that were not used lately are forgotten, at the latest when `maxTopics` others were.
 */
export class Seen {
  // Two generations instead of a list by use: a topic that is used moves to the young one, and the old one is dropped whole.
  private young = new Map<string, Mark>();
  private old = new Map<string, Mark>();

  constructor(private readonly maxTopics: number) {}

  /** Topics that are remembered now; at most `maxTopics`. */
  get size(): number {
    return this.young.size + this.old.size;
  }

  /** The furthest position of the topic, in the epoch that was seen last. */
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

  /** Adds what was received, in order; `false` when it does not lie after what was received before it in the same epoch. */
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
