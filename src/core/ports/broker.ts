import type { Position } from '../../protocol/position.js';

/** One publication, as brokers store and carry it. */
export interface Publication {
  /** Its place in the topic, from 1. */
  readonly offset: number;
  /** JSON text, made once where it was published. */
  readonly data: string;
  readonly key?: string;
}

/** Bounds of a topic's history; whichever is reached first. */
export interface HistoryRules {
  /** Publications. */
  readonly size: number;
  /** Milliseconds that a publication is kept. */
  readonly ttlMs: number;
  /** Bytes of JSON text. */
  readonly maxBytes: number;
}

/** What a stream remembers for snapshots: its last publication, or the last of each key. */
export type LatestRule = 'last' | 'last-per-key';

export interface PublishOptions {
  readonly key?: string;
  /** Absent: no snapshot is remembered. */
  readonly latest?: LatestRule;
  /** Absent: nothing is kept. */
  readonly history?: HistoryRules;
}

/** How much a recovery may return; more than that counts as unrecoverable. */
export interface RecoveryLimits {
  readonly count: number;
  readonly bytes: number;
}

/** The end of a stream, and what came after a position. */
export interface StreamReading {
  readonly top: Position;
  /** Everything after `since`, in order; `undefined` when it is not all there, or nothing was asked. Never a part. */
  readonly missed: readonly Publication[] | undefined;
}

/** What a stream remembers for snapshots, and its end at the same moment. */
export interface LatestReading {
  readonly top: Position;
  /** At most one, or at most one of each key. */
  readonly publications: readonly Publication[];
}

/** Where a broker delivers. Must not throw. */
export interface BrokerSink {
  /** Called for subscribed topics only, in the order of offsets. */
  publication(topic: string, epoch: string, publication: Publication): void;
}

/** Stores and carries the streams. Calls reject when the engine is away; none of them waits for ever. */
export interface Broker {
  /** Called once, before anything else. */
  start(sink: BrokerSink): void;
  /** Gives the next offset, stores, delivers. Resolves once the publication is in the engine's hands. */
  publish(topic: string, data: string, options: PublishOptions): Promise<Position>;
  /** Resolves when the subscription is in force: everything published from then on reaches the sink. */
  subscribe(topic: string): Promise<void>;
  /** No publication of the topic reaches the sink after this has resolved. */
  unsubscribe(topic: string): Promise<void>;
  /** The topic's end, which gives an untouched topic its epoch, and what came after `since`. */
  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading>;
  /** What was published with `latest`. */
  latest(topic: string): Promise<LatestReading>;
  /** Frees everything; later calls reject. */
  close(): Promise<void>;
}
