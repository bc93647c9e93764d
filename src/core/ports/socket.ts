/** Waits until a full socket is empty. */
export interface Drained {
  /** Everything written before has been accepted. */
  drained(): void;
}

/**
 * What the core needs from a WebSocket, or from an event stream in its place. No member throws or
 * blocks, in any state of the peer.
 */
export interface LiveSocket {
  /** Whether data can be sent: after the handshake and before a close by either side. */
  readonly open: boolean;
  /**
   * Compression window of the peer, as a power of two. 0 if it accepts no compression;
   * `eventStream` if it reads events in place of frames.
   */
  readonly windowBits: number;
  /** Bytes that were written but not yet passed to the operating system. */
  readonly bufferedBytes: number;
  /**
   * Sends bytes that already are frames or events. They must not change until `bufferedBytes`
   * is 0.
   */
  write(frames: Uint8Array): void;
  /**
   * Calls the waiter once the system has accepted everything written so far, or never if the socket
   * ends.
   */
  whenDrained(waiter: Drained): void;
  /** Sends a ping. */
  ping(): void;
  /** Starts the closing handshake. Its end is reported to the session by `ended`. */
  close(code: number, reason: string): void;
  /** Ends the connection without a closing handshake. */
  terminate(): void;
  /** Stops reading, so that the peer's messages wait in its own buffers. */
  pause(): void;
  /** Reads again after `pause`. */
  resume(): void;
}

/** Collects the writes of a flush, to make them together. */
export interface WriteBatch {
  /** Writes may wait from now on. A socket that is asked for anything makes them first. */
  start(): void;
  /** Makes all writes that wait. */
  end(): void;
}

/**
 * Writes to sockets by their descriptors, in one call, without blocking. The package
 * `nestjs-live-native` has one.
 *
 * @param count - rows to read
 * @param rows - for each write three integers: a descriptor or -1, the index of its bytes in
 *   `buffers`, and, afterwards, the number of bytes that the system took, or a negative error
 *   number
 */
export type SendBatch = (count: number, rows: Int32Array, buffers: readonly Uint8Array[]) => void;
