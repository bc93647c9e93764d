import type { Clock } from '../ports/clock.js';
import type { AttendanceListener, Cluster } from './cluster.js';
import type { Instance } from './instances.js';
import { Journal } from './journal.js';
import { Replica } from './replica.js';
import { type Ask, type Attendance, type Changes, everybody, type State } from './signal.js';

/** Attendance by the key of the instance that it comes from. */
export interface AttendanceTable {
  /** Everything known from one instance. */
  of(source: string): readonly Attendance[];
  /** Sets one attendance. -1 connections remove it. */
  set(source: string, change: Attendance): void;
  /** Replaces everything known from one instance. */
  replace(source: string, now: readonly Attendance[]): void;
}

export interface SharedAttendanceParts {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** Set if there are no other instances. */
  readonly solitary: boolean;
  /** Attendance of users. */
  readonly members: AttendanceTable;
  /** Attendance of everybody at a topic, with or without a user. */
  readonly readers: AttendanceTable;
}

/**
 * Tells the other instances who attends here, and keeps what each of them has told. Nothing is
 * stored in the engine, so all engines behave alike.
 */
export class SharedAttendance implements AttendanceListener {
  private readonly journal: Journal;
  private readonly replicas = new Map<string, Replica>();

  constructor(private readonly parts: SharedAttendanceParts) {
    const { cluster, clock, members, readers } = parts;
    const { self, instances, send } = cluster;
    const all = (): readonly Attendance[] => [...members.of(self.key), ...readers.of(self.key)];
    this.journal = new Journal({ clock, all, heard: () => instances.size > 0, send });
    instances.watch({
      appeared() {},
      greeted: (instance, seq) => this.replicaOf(instance).greeted(seq),
      gone: ({ key }) => {
        this.replicas.get(key)?.stop();
        this.replicas.delete(key);
      },
    });
  }

  get seq(): number {
    return this.journal.seq;
  }

  /** Tells the others of a change here. */
  tell(change: Attendance): void {
    if (!this.parts.solitary) this.journal.add(change);
  }

  changes(from: Instance, body: Changes): void {
    this.replicaOf(from).changes(body);
  }

  ask(_from: Instance, _body: Ask): void {
    this.journal.asked();
  }

  state(from: Instance, body: State): void {
    this.replicaOf(from).state(body);
  }

  /** Sends pending changes. Call it before the cluster is closed. */
  close(): void {
    this.journal.tell();
    this.journal.stop();
    for (const replica of this.replicas.values()) replica.stop();
    this.replicas.clear();
  }

  private replicaOf({ key }: Instance): Replica {
    let replica = this.replicas.get(key);
    if (replica === undefined) {
      const { clock, cluster, members, readers } = this.parts;
      replica = new Replica({
        clock,
        ask: () => cluster.send({ type: 'ask', to: key }),
        apply: (change) => (isOfEverybody(change) ? readers : members).set(key, change),
        replace: (all) => {
          members.replace(
            key,
            all.filter((each) => !isOfEverybody(each)),
          );
          readers.replace(key, all.filter(isOfEverybody));
        },
      });
      this.replicas.set(key, replica);
    }
    return replica;
  }
}

function isOfEverybody([, user]: Attendance): boolean {
  return user === everybody;
}
