import { createHash } from 'node:crypto';
import type { Cluster, PresenceListener } from '../cluster/cluster.js';
import type { Instance } from '../cluster/instances.js';
import type { Attendance, Changes, State } from '../cluster/signal.js';
import type { SubscriberListener } from '../fanout/topic.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import { isTopicName, baseTopicOf, presenceTopicOf } from '../../protocol/topic-name.js';
import { SnapshotAt } from '../stream/snapshot-at.js';
import { isKey } from '../../protocol/fields.js';
import { Attendances } from './attendance.js';
import { Departures } from './departures.js';
import { Journal } from './journal.js';
import { noPresence, type PresenceMember, shownMember } from './member.js';
import type { PresenceBroker } from './presence-broker.js';
import type { PresencePolicy } from './presence-policy.js';
import { Replica } from './replica.js';
import { PresenceTable, type PresenceTableEvent } from './presence-table.js';

export interface PresenceParts {
  readonly broker: PresenceBroker;
  readonly policy: PresencePolicy;
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly observer: Observer;
}

/**
 * Who attends presence topics, on all instances. Every instance keeps what each other one announced
 * of its own members. Nothing is stored in the engine, so all engines behave alike, and the members
 * of a dead instance disappear with it. [L-11.2]
 */
export class Presence implements PresenceListener {
  private readonly roll: PresenceTable;
  private readonly own: Attendances;
  private readonly journal: Journal;
  private readonly departures: Departures;
  private readonly replicas = new Map<string, Replica>();

  constructor(private readonly parts: PresenceParts) {
    const { policy, cluster, clock, observer } = parts;
    const { self, instances, send } = cluster;
    this.roll = new PresenceTable((...change) => this.tell(...change));
    this.own = new Attendances(clock, observer, (now) => this.changed(now));
    const all = (): readonly Attendance[] => this.roll.of(self.key);
    this.journal = new Journal({ clock, all, heard: () => instances.size > 0, send });
    this.departures = new Departures(
      clock,
      this.roll,
      (topic) => policy.rulesFor(topic)?.presence?.graceMs ?? 0,
    );
    instances.watch({
      appeared() {},
      greeted: (instance, seq) => this.replicaOf(instance).greeted(seq),
      gone: (instance, said) => this.gone(instance, said),
    });
  }

  /** Members of all topics, as far as this instance knows. */
  get size(): number {
    return this.roll.size;
  }

  get seq(): number {
    return this.journal.seq;
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

  changes(from: Instance, body: Changes): void {
    this.replicaOf(from).changes(body);
  }

  ask(): void {
    this.journal.asked();
  }

  state(from: Instance, body: State): void {
    this.replicaOf(from).state(body);
  }

  /** Sends pending changes. Call it before the cluster is closed. */
  close(): void {
    this.journal.tell();
    this.journal.stop();
    this.own.stop();
    this.departures.stop();
    for (const replica of this.replicas.values()) replica.stop();
    this.replicas.clear();
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
    if (this.parts.broker.solitary !== true) this.journal.add(now);
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

  private replicaOf(instance: Instance): Replica {
    const { key } = instance;
    let replica = this.replicas.get(key);
    if (replica === undefined) {
      const { clock, cluster } = this.parts;
      replica = new Replica({
        clock,
        ask: () => cluster.send({ type: 'ask', to: key }),
        apply: (change) => this.roll.set(key, change),
        replace: (members) => this.roll.replace(key, members),
      });
      this.replicas.set(key, replica);
    }
    return replica;
  }

  private gone({ key }: Instance, said: boolean): void {
    this.replicas.get(key)?.stop();
    this.replicas.delete(key);
    if (said) this.departures.begin(key);
    else this.roll.replace(key, []);
  }
}
