import type { Backlogs } from '../outbound/backlogs.js';
import type { Clock } from '../ports/clock.js';
import type { SlowPolicy } from '../ports/policy.js';
import { OwnPace, type PacedReader } from './own-pace.js';
import type { Pace } from './pace.js';
import { RatedPace, RateGroup } from './rate-group.js';

/** The subscribers of one topic that do not simply get each publication at once. */
export class Pacing {
  private readonly groups = new Map<number, RateGroup>();

  constructor(
    private readonly slow: SlowPolicy,
    private readonly clock: Clock,
    private readonly backlogs: Backlogs,
  ) {}

  /** Bytes waiting for the next frame of any rate. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const group of this.groups.values()) bytes += group.bytes;
    return bytes;
  }

  /**
   * Returns the pace of a subscriber that has everything up to `after`, at most `rate` frames per
   * second.
   */
  paceOf(reader: PacedReader, after: number, rate: number | undefined): Pace {
    const own = new OwnPace(reader, this.slow, after, this.clock);
    return rate === undefined ? own : new RatedPace(this.groupOf(rate), own);
  }

  /** Discards the queues, because their stream is lost. */
  startOver(): void {
    for (const group of this.groups.values()) group.startOver();
  }

  private groupOf(rate: number): RateGroup {
    let group = this.groups.get(rate);
    if (group === undefined) {
      const made = new RateGroup(1_000 / rate, this.clock, this.backlogs, () => {
        if (this.groups.get(rate) === made) this.groups.delete(rate);
      });
      this.groups.set(rate, (group = made));
    }
    return group;
  }
}
