import type { Position } from '../protocol/position.js';
import { Generations } from './generations.js';

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
  private readonly marks: Generations<Mark>;

  constructor(maxTopics: number) {
    this.marks = new Generations(maxTopics);
  }

  /** Topics remembered now; at most `maxTopics`. */
  get size(): number {
    return this.marks.size;
  }

  /** The furthest position of the topic, in its latest epoch. */
  get(topic: string): Readonly<Position> | undefined {
    return this.marks.get(topic);
  }

  add(topic: string, epoch: string, offset: number): void {
    const mark = this.marks.use(topic);
    if (mark === undefined) this.marks.set(topic, { epoch, offset, arrived: 0 });
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
    const mark = this.marks.get(topic);
    if (mark === undefined || offset <= mark.arrived) return false;
    mark.arrived = offset;
    return true;
  }
}
