import type { Attendance } from '../cluster/signal.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { PresenceTable } from './presence-table.js';

/**
 * Instances that said goodbye. Their clients are reconnecting to others and get a grace period.
 * [L-11.5]
 */
export class Departures {
  private readonly cancels = new Set<Cancel>();

  constructor(
    private readonly clock: Clock,
    private readonly roll: PresenceTable,
    /** Grace period of a topic, in milliseconds. */
    private readonly graceMsOf: (topic: string) => number,
  ) {}

  begin(source: string): void {
    const byGrace = new Map<number, Attendance[]>();
    for (const each of this.roll.of(source)) {
      const [topic, user, , fields] = each;
      this.roll.set(source, [topic, user, 0, fields]);
      const graceMs = this.graceMsOf(topic);
      const together = byGrace.get(graceMs);
      if (together === undefined) byGrace.set(graceMs, [each]);
      else together.push(each);
    }
    for (const [graceMs, members] of byGrace) this.wait(source, graceMs, members);
  }

  stop(): void {
    for (const cancel of this.cancels) cancel();
    this.cancels.clear();
  }

  private wait(source: string, graceMs: number, members: readonly Attendance[]): void {
    const cancel = this.clock.after(graceMs, () => {
      this.cancels.delete(cancel);
      for (const each of members) this.roll.remove(source, each);
    });
    this.cancels.add(cancel);
  }
}
