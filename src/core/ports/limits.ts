/** How far a peer may be behind. Whichever is reached first ends its patience; see `9. Limits and back-pressure`. */
export interface OutboundBudget {
  /** Bytes that may wait for one connection, here and in its socket. */
  readonly backPressureThresholdBytes: number;
  /** Messages that may wait for one connection, outside of its socket. */
  readonly maxQueuedMessages: number;
  /** Milliseconds that a message may wait for a connection whose socket is full. */
  readonly maxQueueAgeMs: number;
  /** Bytes that may wait for all connections together. */
  readonly maxQueuedBytesTotal: number;
}

/** How fast one connection may send. Bytes are those of messages, not of the frames around them. */
export interface InboundRate {
  readonly messagesPerSecond: number;
  /** Messages that may come at once after a rest. */
  readonly messageBurst: number;
  readonly bytesPerSecond: number;
  /** Bytes that may come at once after a rest; at least the largest message. */
  readonly byteBurst: number;
}

/** How much the answers to subscribes may hold for one user: recovered publications and snapshots, bytes of JSON text. */
export interface ReplayRate {
  readonly bytesPerSecond: number;
  /** Bytes that may be sent at once after a rest. */
  readonly byteBurst: number;
}

/** What the core holds its peers and providers to; the module's options have the defaults. */
export interface LiveLimits extends OutboundBudget {
  readonly maxMessageBytes: number;
  readonly maxTopicsPerConnection: number;
  readonly maxWaitingMessages: number;
  /** Absent where everybody may send as fast as they can. */
  readonly inboundRate?: InboundRate | undefined;
  /** Absent where recoveries and snapshots are not charged to who asks for them. */
  readonly replayRate?: ReplayRate | undefined;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  readonly authorizationTimeoutMs: number;
  readonly snapshotTimeoutMs: number;
  readonly maxSnapshotBytes: number;
  readonly credentialGraceMs: number;
  /** 0 for none. */
  readonly positionCheckIntervalMs: number;
  /** 0: rights are not asked for again. */
  readonly authorizationRecheckMs: number;
  readonly instanceTimeoutMs: number;
}

/** How much may wait for a broker that is away; whichever is reached first. */
export interface PublishQueueLimits {
  readonly maxMessages: number;
  /** Bytes of JSON text. */
  readonly maxBytes: number;
  /** Milliseconds that one publication waits at most. */
  readonly maxWaitMs: number;
}
