import type { SharedEvent } from '../frame/shared-event.js';
import type { Backlogs, Waiting } from '../outbound/backlogs.js';
import type { Cancel, Clock } from '../ports/clock.js';
import { Conflation, ConflationLog } from './conflation.js';
import type { OwnPace } from './own-pace.js';
import type { PaceGroup } from './pace-group.js';

/**
 * Maximum age of a publication in a group, in milliseconds. More than can be sent in that time does
 * not wait.
 */
export const maxRatedWaitMs = 3_600_000;

/**
 * The subscribers of a topic with the same rate. They share the waiting publications, the send time
 * and the frames. The queue is limited to the budget of one connection. [L-4.8] [L-9.16]
 */
export class RateGroup implements Waiting, PaceGroup {
  /** Bytes waiting, counted once for all members. */
  bytes = 0;
  readonly log = new ConflationLog();
  private readonly members = new Set<OwnPace>();
  private readonly waiting = new Conflation(new ConflationLog());
  private newest = 0;
  /** Data was dropped, and the members have not been notified yet. */
  private owesWord = false;
  /** Every member skips, so nothing needs to be queued. */
  private allSkip = false;
  private cancel: Cancel | undefined;

  /** @param onEmpty - called when the last member has left */
  constructor(
    private readonly intervalMs: number,
    private readonly clock: Clock,
    private readonly backlogs: Backlogs,
    private readonly onEmpty: () => void,
  ) {}

  join(member: OwnPace): void {
    this.members.add(member);
    this.allSkip = false;
  }

  leave(member: OwnPace): void {
    if (!this.members.delete(member) || this.members.size > 0) return;
    this.cancel?.();
    this.cancel = undefined;
    this.startOver();
    this.onEmpty();
  }

  /** Discards the queue. Offsets start over. */
  startOver(): void {
    this.newest = 0;
    this.allSkip = false;
    this.waiting.clear();
    this.count();
  }

  offer(events: readonly SharedEvent[]): void {
    for (const event of events) this.take(event);
  }

  private take(event: SharedEvent): void {
    if (event.offset <= this.newest) return;
    this.newest = event.offset;
    if (this.allSkip) return;
    this.waiting.add(event);
    if (this.cancel === undefined) this.send();
    this.count();
    if (this.isTooMuch) this.shed();
  }

  /** Nothing grows too old here, because `isTooMuch` limits the queue. */
  look(): void {}

  /** Drops the queue. Members are notified when their next frame would be due. [L-9.8] */
  shed(): void {
    if (this.waiting.size === 0) return;
    this.waiting.clear();
    this.count();
    for (const member of this.members) member.skip();
    this.owesWord = true;
    this.allSkip = true;
  }

  private get isTooMuch(): boolean {
    const { backPressureThresholdBytes, maxQueuedMessages } = this.backlogs.budget;
    const { size } = this.waiting;
    // The newest one always fits, however large: without a rate it would be sent as well.
    if (size <= 1) return false;
    if (this.bytes > backPressureThresholdBytes) return true;
    return size > Math.min(maxQueuedMessages, maxRatedWaitMs / this.intervalMs);
  }

  private send(): void {
    this.cancel = undefined;
    const event = this.waiting.take();
    this.count();
    const { owesWord } = this;
    if (event === undefined && !owesWord) return;
    this.owesWord = false;
    this.allSkip = false;
    this.cancel = this.clock.after(this.intervalMs, () => this.send());
    for (const member of this.members) {
      if (owesWord && member.skipping) member.endSkip();
      else if (event !== undefined) member.offer(event);
    }
  }

  private count(): void {
    const { bytes } = this.waiting;
    if (bytes === this.bytes) return;
    if (this.bytes === 0) this.backlogs.add(this);
    this.backlogs.count(bytes - this.bytes);
    this.bytes = bytes;
    if (bytes === 0) this.backlogs.remove(this);
  }
}
