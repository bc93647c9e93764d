import type { LiveUser } from '../../core/ports/identity.js';
import type { HistoryRules } from '../../core/ports/broker.js';
import type { TopicRules } from '../../core/ports/policy.js';
import { snapshotAt } from '../../core/stream/snapshot-at.js';
import type { Position } from '../../protocol/position.js';

/** The position of a snapshot, and the publications up to it. */
export interface SnapshotLabel {
  /** Position that the server gave the snapshot. */
  readonly position: Position;
  /** Data of the stream's publications up to the position, in order. */
  readonly published: readonly unknown[];
}

/**
 * A topic of a simulation: its rules, your application's own or invented, and how to judge its
 * snapshots. Users without the right in their simulated credential are always refused; the rules
 * decide about the others.
 */
export interface SimTopic extends Partial<TopicRules> {
  /** The topic, without `:` parameters. */
  readonly name: string;
  /** Data of the n-th publication of the run, different from all others. @default `{ n }` */
  readonly data?: (n: number) => unknown;
  /**
   * Called before each publication, as an application writes to its store before it publishes. Only
   * the application publishes to a topic with this function.
   */
  readonly stored?: (data: unknown, key: string | undefined) => void;
  /**
   * Whether a snapshot contains every publication up to its position; it may contain later ones.
   *
   * @default snapshots of a provider are not judged
   */
  readonly holds?: (snapshot: unknown, label: SnapshotLabel) => boolean;
  /**
   * Whether some keyed publications remove their key, and some have an outdated version.
   *
   * @default false
   */
  readonly removes?: boolean;
  /**
   * Whether clients also keep a `collection` of it. What that shows must be a state that the topic
   * had, and its newest one in the end.
   *
   * @default false
   */
  readonly collected?: boolean;
  /**
   * Whether its snapshot may stand for a position that the history does not reach.
   *
   * @default false
   */
  readonly mayLag?: boolean;
}

/** What the application of a simulation knows. */
export interface SimStore {
  /** Everything published so far. */
  readonly publications: {
    /** Position of the topic's last publication; `undefined` before the first. */
    top(topic: string): Position | undefined;
  };
  /** How many publications the topic's own store is behind now. */
  behind(topic: string): number;
}

/** Creates the topics of one run. Runs share nothing. */
export type MakeTopics = (store: SimStore) => readonly SimTopic[];

const bounds = { maxBytes: 1_000_000, ttlMs: 60_000 } as const;
const ring: HistoryRules = { ...bounds, size: 5 };

/** Topics of every kind. */
export const topicsOfEveryKind: MakeTopics = (store) => [
  { name: 'plain' },
  { name: 'ring', history: ring },
  { name: 'brief', history: { ...bounds, size: 50, ttlMs: 250 } },
  { name: 'long', history: { ...bounds, size: 400 } },
  { ...stateful(store, 'state'), history: { ...bounds, size: 8 } },
  stateful(store, 'bare'),
  { ...positioned(store, 'own'), history: ring },
  { name: 'last', latest: 'last', history: { ...bounds, size: 3 } },
  { name: 'keys', latest: 'last-per-key', removes: true },
  { name: 'odd/users.only', canSubscribe: isOdd, canPublish: isOdd, history: ring },
];

function isOdd(user: LiveUser | null): boolean {
  return user !== null && Number(user.id.slice(1)) % 2 === 1;
}

/** A topic whose store knows every publication. */
function stateful({ publications }: SimStore, name: string): SimTopic {
  return {
    name,
    snapshot: () => ({ seen: publications.top(name) }),
    holds: (snapshot, { position: { epoch, offset } }) => {
      const seen = seenBy(snapshot);
      return offset === 0 || (seen?.epoch === epoch && seen.offset >= offset);
    },
  };
}

/** A topic whose store lags behind, and knows the last publication it has seen. */
function positioned({ publications, behind }: SimStore, name: string): SimTopic {
  return {
    name,
    mayLag: true,
    snapshot: () => {
      const top = publications.top(name);
      if (top === undefined) return {};
      const seen = { ...top, offset: Math.max(0, top.offset - behind(name)) };
      return snapshotAt(seen, { seen });
    },
    holds: (snapshot, { position: { epoch, offset } }) => {
      const seen = seenBy(snapshot);
      return seen === undefined ? offset === 0 : seen.epoch === epoch && seen.offset === offset;
    },
  };
}

function seenBy(snapshot: unknown): Position | undefined {
  return typeof snapshot === 'object' && snapshot !== null
    ? (snapshot as { readonly seen?: Position }).seen
    : undefined;
}
