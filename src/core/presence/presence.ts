import { createHash } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.js';
import type { Instance } from '../cluster/instances.js';
import type { Attendance } from '../cluster/signal.js';
import type { SubscriberListener } from '../fanout/topic.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import { isTopicName, baseTopicOf, presenceTopicOf } from '../../protocol/topic-name.js';
import { SnapshotAt } from '../stream/snapshot-at.js';
import { isKey } from '../../protocol/fields.js';
import { Attendances } from './attendance.js';
import { Departures } from './departures.js';
import { noPresence, type PresenceMember, shownMember } from './member.js';
import type { PresenceBroker } from './presence-broker.js';
import type { PresencePolicy } from './presence-policy.js';
import { PresenceTable, type PresenceTableEvent } from './presence-table.js';

export interface PresenceParts {
  readonly broker: PresenceBroker;
  readonly policy: PresencePolicy;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Tells the other instances of a change here. */
  readonly share: (change: Attendance) => void;
}

/**
 * Who attends presence topics, on all instances. Every instance keeps what each other one announced
 * of its own members, so the members of a dead instance disappear with it. [L-11.2]
 */
export class Presence {
  /** The members, by instance. */
  readonly roll: PresenceTable;
  private readonly own: Attendances;
  private readonly departures: Departures;

  constructor(private readonly parts: PresenceParts) {
    const { policy, cluster, clock, observer } = parts;
    this.roll = new PresenceTable((...change) => this.tell(...change));
    this.own = new Attendances(clock, observer, (now) => this.changed(now));
    this.departures = new Departures(
      clock,
      this.roll,
      (topic) => policy.rulesFor(topic)?.presence?.graceMs ?? 0,
    );
    cluster.instances.watch({
      appeared() {},
      greeted() {},
      gone: (instance, said) => this.gone(instance, said),
    });
  }

  /** Members of all topics, as far as this instance knows. */
  get size(): number {
    return this.roll.size;
  }

  /**
   * The topic's members, sorted by id, as far as this instance knows.
   *
   * @throws LiveError `validation-failed` for a topic without presence
   */
  members(topic: string): readonly PresenceMember[] {
    if (!isTopicName(topic) || this.parts.policy.rulesFor(topic)?.presence === undefined)
      throw noPresence(topic);
    return this.roll
      .members(topic)
      .map(({ user, connections, fields }) => ({ ...shownMember(user, fields), connections }));
  }

  /** Cancels all timers. */
  close(): void {
    this.own.stop();
    this.departures.stop();
  }

  /** Listener for joins and leaves of a topic here, or `undefined` for a topic without presence. */
  audienceOf(topic: string): SubscriberListener | undefined {
    const rules = this.parts.policy.rulesFor(topic)?.presence;
    if (rules === undefined) return undefined;
    return {
      joined: (connection) => this.own.joined(topic, rules, connection),
      left: (connection) => this.own.left(topic, rules, connection),
    };
  }

  private changed(now: Attendance): void {
    this.roll.set(this.parts.cluster.self.key, now);
    this.parts.share(now);
  }

  /** Notifies clients here of a visible change. [L-11.4] */
  private tell(topic: string, event: PresenceTableEvent, user: string, fields: string): void {
    const companion = presenceTopicOf(topic);
    if (companion === undefined) return;
    const data = JSON.stringify({ event, member: shownMember(user, fields) });
    // Always set: publications without a key would replace each other for a client with a rate.
    // [L-4.8]
    const key = isKey(user) ? user : createHash('sha256').update(user).digest('hex');
    this.parts.broker.tell(companion, data, key);
  }

  /** The members that a topic of presence tells, and the position that they stand for. */
  snapshotOf(companion: string): unknown {
    const topic = baseTopicOf(companion);
    const top = this.parts.broker.top(companion);
    if (topic === undefined || top === undefined) throw new Error('Nobody reads this topic');
    const members = this.roll.members(topic).map(({ user, fields }) => shownMember(user, fields));
    return new SnapshotAt(top, members);
  }

  private gone({ key }: Instance, said: boolean): void {
    if (said) this.departures.begin(key);
    else this.roll.replace(key, []);
  }
}
