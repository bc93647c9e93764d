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
