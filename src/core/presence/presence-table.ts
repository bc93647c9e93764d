import type { Attendance } from '../cluster/signal.js';

/** Attendance of one user at a topic on one instance. */
interface Entry {
  /** Key of the instance. */
  readonly source: string;
  readonly connections: number;
  readonly fields: string;
}

/**
 * Entries of one user in a topic, by instance key, so that every instance has the same first entry.
 */
type Entries = readonly Entry[];

export type PresenceTableEvent = 'join' | 'update' | 'leave';

/** Called for changes that clients see. */
export type OnPresenceChange = (
  topic: string,
  event: PresenceTableEvent,
  user: string,
  fields: string,
) => void;

export interface PresenceTableMember {
  readonly user: string;
  readonly connections: number;
  readonly fields: string;
}

/** Who attends which topic, on all instances together. */
export class PresenceTable {
  /** Members of all topics. */
  size = 0;
  private readonly topics = new Map<string, Map<string, Entries>>();

  constructor(private readonly onChange: OnPresenceChange) {}

  /** The topic's members, sorted by id. */
  members(topic: string): PresenceTableMember[] {
    return [...(this.topics.get(topic) ?? [])]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([user, entries]) => ({
        user,
        connections: entries.reduce((sum, { connections }) => sum + connections, 0),
        fields: entries[0]?.fields ?? '{}',
      }));
  }

  /** Everything known from one instance. */
  of(source: string): Attendance[] {
    const found: Attendance[] = [];
    for (const [topic, users] of this.topics) {
      for (const [user, entries] of users) {
        const entry = entries.find((each) => each.source === source);
        if (entry !== undefined) found.push([topic, user, entry.connections, entry.fields]);
      }
    }
    return found;
  }

  /** Sets the attendance of a user on one instance. -1 connections remove it. */
  set(source: string, [topic, user, connections, fields]: Attendance): void {
    const before = this.topics.get(topic)?.get(user) ?? [];
    const others = before.filter((entry) => entry.source !== source);
    const after = connections < 0 ? others : sorted([...others, { source, connections, fields }]);
    this.put(topic, user, after);
    this.tell(topic, user, before[0], after[0]);
  }

  /**
   * Replaces everything known from one instance. Members in both states do not leave in between.
   */
  replace(source: string, now: readonly Attendance[]): void {
    const present = new Set(now.map(nameOf));
    for (const each of this.of(source)) if (!present.has(nameOf(each))) this.remove(source, each);
    for (const each of now) this.set(source, each);
  }

  /** Removes a user of one instance. */
  remove(source: string, [topic, user]: Attendance): void {
    this.set(source, [topic, user, -1, '']);
  }

  private put(topic: string, user: string, entries: Entries): void {
    const users = this.topics.get(topic) ?? new Map<string, Entries>();
    this.size -= users.size;
    if (entries.length > 0) users.set(user, entries);
    else users.delete(user);
    this.size += users.size;
    if (users.size > 0) this.topics.set(topic, users);
    else this.topics.delete(topic);
  }

  private tell(topic: string, user: string, before: Entry | undefined, after: Entry | undefined): void {
    if (after === undefined) {
      if (before !== undefined) this.onChange(topic, 'leave', user, before.fields);
    } else if (before === undefined) this.onChange(topic, 'join', user, after.fields);
    else if (before.fields !== after.fields) this.onChange(topic, 'update', user, after.fields);
  }
}

function sorted(entries: Entry[]): Entries {
  return entries.length === 1
    ? entries
    : entries.toSorted((one, other) => (one.source < other.source ? -1 : 1));
}

/** Unique, because topics contain no blank. */
function nameOf([topic, user]: Attendance): string {
  return `${topic} ${user}`;
}
