import type { HistoryRules } from './broker.js';

/** How far a peer may fall behind. The first limit reached applies; see PROTOCOL.md, section 9. */
export interface OutboundBudget {
  /** Bytes queued for one connection, including its socket. */
  readonly backPressureThresholdBytes: number;
  /** Messages queued for one connection, outside of its socket. */
  readonly maxQueuedMessages: number;
  /** Milliseconds that a message may wait for a full socket. */
  readonly maxQueueAgeMs: number;
  /** Bytes queued for all connections together. */
  readonly maxQueuedBytesTotal: number;
}

/** How fast one connection may send. Bytes are those of messages, without frame headers. */
export interface InboundRate {
  /** Messages per second, on average. */
  readonly messagesPerSecond: number;
  /** Messages that may arrive at once after a pause. */
  readonly messageBurst: number;
  /** Bytes per second, on average. */
  readonly bytesPerSecond: number;
  /** Bytes that may arrive at once after a pause. At least the largest message. */
  readonly byteBurst: number;
}

/** Rate limit of recovered publications and snapshots for one user, in bytes of JSON text. */
export interface ReplayRate {
  /** Bytes per second, on average. */
  readonly bytesPerSecond: number;
  /** Bytes that may be sent at once after a pause. */
  readonly byteBurst: number;
}

/** Limits for peers and providers. Times in milliseconds. */
export interface LiveLimits extends OutboundBudget {
  /** Maximum size of a message of a peer, in bytes. [L-2.2] */
  readonly maxMessageBytes: number;
  /** Maximum number of topics that one connection may subscribe to. */
  readonly maxTopicsPerConnection: number;
  /** Messages of one connection that may wait before reading pauses. [L-2.8] */
  readonly maxWaitingMessages: number;
  /** Absent if inbound messages are not limited. */
  readonly inboundRate?: InboundRate | undefined;
  /** Absent if recoveries and snapshots are not limited. */
  readonly replayRate?: ReplayRate | undefined;
  /** Silence of a peer after which it is pinged. */
  readonly pingIntervalMs: number;
  /** Time for the pong, after which the connection is closed. */
  readonly pongTimeoutMs: number;
  /** Time for one answer of `canSubscribe` or `canPublish`. */
  readonly authorizationTimeoutMs: number;
  /** Time for one snapshot. */
  readonly snapshotTimeoutMs: number;
  /** Maximum size of a snapshot, in bytes of JSON text. */
  readonly maxSnapshotBytes: number;
  /** Time between the expiry of a credential and the close. [L-7.4] */
  readonly credentialGraceMs: number;
  /** 0 disables the check. */
  readonly positionCheckIntervalMs: number;
  /** 0 disables the recheck. */
  readonly authorizationRecheckMs: number;
  /** Silence after which another instance counts as gone. */
  readonly instanceTimeoutMs: number;
  /** Largest page of a snapshot. @default `maxPageBytes` of `frame/pages` */
  readonly maxPageBytes?: number;
}

/** Defaults of the module and of `TestLive`. The defaults of the two rates depend on these. */
export const defaultLimits = {
  maxMessageBytes: 65_536,
  maxTopicsPerConnection: 128,
  maxWaitingMessages: 64,
  backPressureThresholdBytes: 1_048_576,
  maxQueuedMessages: 4_096,
  maxQueueAgeMs: 10_000,
  maxQueuedBytesTotal: 268_435_456,
  pingIntervalMs: 25_000,
  pongTimeoutMs: 10_000,
  authorizationTimeoutMs: 5_000,
  snapshotTimeoutMs: 10_000,
  maxSnapshotBytes: 33_554_432,
  credentialGraceMs: 60_000,
  positionCheckIntervalMs: 30_000,
  authorizationRecheckMs: 60_000,
  instanceTimeoutMs: 6_000,
} as const satisfies LiveLimits;

/** Publications that may wait for an unavailable broker. The first limit reached applies. */
export interface PublishQueueLimits {
  /** Number of publications. */
  readonly maxMessages: number;
  /** Bytes of JSON text. */
  readonly maxBytes: number;
  /** Maximum wait of one publication, in milliseconds. */
  readonly maxWaitMs: number;
}

/** Defaults of a history's limits. */
export const defaultHistory: HistoryRules = { size: 100, ttlMs: 300_000, maxBytes: 1_048_576 };
