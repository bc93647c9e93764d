/** How fast one connection may send: messages and WebSocket pings, and their bytes. */
export interface InboundRateOptions {
  /** Messages and pings per second, on average. @default 20 */
  readonly messagesPerSecond?: number;
  /**
   * Messages that may arrive at once after a pause.
   *
   * @default the messages of 2 seconds, plus one `subscribe` for each of `maxTopicsPerConnection`:
   *   168. A client that reconnects subscribes to all its topics at once.
   */
  readonly messageBurst?: number;
  /** Bytes of messages per second, on average. @default 65536 */
  readonly bytesPerSecond?: number;
  /**
   * Bytes that may arrive at once after a pause, at least `maxMessageBytes`.
   *
   * @default the bytes of a second, plus one message of `maxMessageBytes`, plus 512 bytes for each
   *   of `maxTopicsPerConnection`: 196608
   */
  readonly byteBurst?: number;
}

/**
 * How many bytes the answers to one user's subscribes may contain: recovered publications and
 * snapshots, as JSON text.
 */
export interface ReplayRateOptions {
  /** Bytes per second, on average. @default 2097152 */
  readonly bytesPerSecond?: number;
  /**
   * Bytes that may be sent at once after a pause.
   *
   * @default 33554432: a hundred topics with a snapshot of 300 KB each, when a client reconnects
   */
  readonly byteBurst?: number;
}
