import type { SharedEvent } from '../fanout/shared-event.js';
import type { Cancel, Clock } from '../ports/clock.js';
import { Conflation } from './conflation.js';
import type { Pace } from './pace.js';

/**
 * The subscribers of a topic that get so many frames per second at most: they share what waits, the moment when it goes
 * out, and the frames. [L-4.8]
 */
export class RateGroup {
  private readonly members = new Set<Pace>();
  private readonly waiting = new Conflation();
  private newest: SharedEvent | undefined;
  private cancel: Cancel | undefined;

  /** @param onEmpty the last one has left */
  constructor(
    private readonly intervalMs: number,
    private readonly clock: Clock,
    private readonly onEmpty: () => void,
  ) {}

  join(member: Pace): void {
    this.members.add(member);
  }

  leave(member: Pace): void {
    if (!this.members.delete(member) || this.members.size > 0) return;
    this.cancel?.();
    this.cancel = undefined;
    this.clear();
    this.onEmpty();
  }

  /** What waits is of no use to anybody. */
  clear(): void {
    this.waiting.clear();
  }

  /** Called once for each member. */
  offer(event: SharedEvent): void {
    if (event === this.newest) return;
    this.newest = event;
    this.waiting.add(event);
    if (this.cancel === undefined) this.send();
  }

  private send(): void {
    const event = this.waiting.take();
    if (event === undefined) {
      this.cancel = undefined;
      return;
    }
    this.cancel = this.clock.after(this.intervalMs, () => this.send());
    for (const member of this.members) member.offer(event);
  }
}

/** A member of a group: gets what the group sends, as fast as it reads. */
export class RatedPace implements Pace {
  constructor(
    private readonly group: RateGroup,
    private readonly own: Pace,
  ) {
    group.join(own);
  }

  offer(event: SharedEvent): void {
    this.group.offer(event);
  }

  get next(): number {
    return this.own.next;
  }

  restart(after: number): void {
    this.own.restart(after);
    this.group.join(this.own);
  }

  stop(): void {
    this.own.stop();
    this.group.leave(this.own);
  }
}
