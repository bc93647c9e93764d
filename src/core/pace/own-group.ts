// hot path
import type { SharedEvent } from '../frame/shared-event.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import { ConflationLog } from './conflation.js';
import type { OwnPace } from './own-pace.js';
import type { PaceGroup } from './pace-group.js';

/** The subscribers of a topic without a rate. Those that keep up get the same bytes. */
export class OwnGroup implements PaceGroup {
  /** Everything that waits here is in the queue of a connection. */
  readonly bytes = 0;
  readonly log = new ConflationLog();
  private readonly members = new Set<OwnPace>();

  /**
   * @param sharesLog - whether members that are behind wait in the log
   * @param onEmpty - called when the last member has left
   */
  constructor(
    private readonly sharesLog: boolean,
    private readonly onEmpty: () => void,
  ) {}

  join(member: OwnPace): void {
    this.members.add(member);
  }

  leave(member: OwnPace): void {
    if (this.members.delete(member) && this.members.size === 0) this.onEmpty();
  }

  offer(events: readonly SharedEvent[], joined: SharedFrame): void {
    const apart: OwnPace[] = [];
    for (const member of this.members) if (!member.keepsUp(events, joined)) apart.push(member);
    if (this.sharesLog) for (const event of events) for (const member of apart) member.offer(event);
    // One after the other, because their queues lie far apart in memory.
    else for (const member of apart) for (const event of events) member.offer(event);
  }

  startOver(): void {}
}
