/** Waits for a socket that was full. */
export interface Drained {
  drained(): void;
}

/** What the core needs of a WebSocket. No member throws or blocks, whatever the state of the peer. */
export interface LiveSocket {
  /** Whether data can still be sent: after the handshake, before a close from either side. */
  readonly open: boolean;
  /** The window, as a power of two, of the compressed frames that the peer takes; 0 when it takes none. */
  readonly windowBits: number;
  /** Bytes that were written and that the system has not taken yet. */
  readonly bufferedBytes: number;
  /**
   * Sends bytes that are whole WebSocket frames already; they must stay as they are until `bufferedBytes` is 0.
   */
  write(frames: Uint8Array): void;
  /** Tells once, later, when the system has taken everything that was written up to now; never, when the socket ends before. */
  whenDrained(waiter: Drained): void;
  /** Sends a ping frame. */
  ping(): void;
  /** Starts the closing handshake; the end comes through the session's `ended`. */
  close(code: number, reason: string): void;
  /** Ends the connection without a word. */
  terminate(): void;
  /** Stops reading from the peer, so that its messages wait in its own buffers. */
  pause(): void;
  resume(): void;
}
