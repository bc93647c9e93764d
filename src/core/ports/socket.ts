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
