import type { SharedEvent } from '../frame/shared-event.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Backlogs } from '../outbound/backlogs.js';
import type { Clock } from '../ports/clock.js';
import type { SlowPolicy } from '../ports/policy.js';
import { OwnGroup } from './own-group.js';
import { OwnPace, type PacedReader } from './own-pace.js';
import type { PaceGroup } from './pace-group.js';
import type { Pace } from './pace.js';
import { RateGroup } from './rate-group.js';

/** The subscribers of one topic that do not simply get each publication at once. */
export class Pacing {
  /** By their rate. */
  private readonly groups = new Map<number | undefined, PaceGroup>();

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
   * Returns the pace of a subscriber, at most `rate` frames per second. It gets nothing before
   * `restart`.
   */
  paceOf(reader: PacedReader, rate: number | undefined): Pace {
    return new GroupPace(new OwnPace(reader, this.slow, this.clock), () => this.groupOf(rate));
  }

  /** Hands publications in order to all subscribers. `joined` has the bytes of all of them. */
  offer(events: readonly SharedEvent[], joined: SharedFrame): void {
    for (const group of this.groups.values()) group.offer(events, joined);
  }

  /** Discards the queues, because their stream is lost. */
  startOver(): void {
    for (const group of this.groups.values()) group.startOver();
  }

  private groupOf(rate: number | undefined): PaceGroup {
    let group = this.groups.get(rate);
    if (group === undefined) {
      const onEmpty = (): void => void this.groups.delete(rate);
      group =
        rate === undefined
          ? new OwnGroup(this.slow === 'conflate', onEmpty)
          : new RateGroup(1_000 / rate, this.clock, this.backlogs, onEmpty);
      this.groups.set(rate, group);
    }
    return group;
  }
}

class GroupPace implements Pace {
  private group: PaceGroup | undefined;

  constructor(
    private readonly own: OwnPace,
    private readonly groupOf: () => PaceGroup,
  ) {}

  get next(): number {
    return this.own.next;
  }

  restart(after: number): void {
    const group = this.groupOf();
    this.group = group;
    this.own.restart(after, group.log);
    group.join(this.own);
  }

  stop(): void {
    this.own.stop();
    this.group?.leave(this.own);
    this.group = undefined;
  }
}
