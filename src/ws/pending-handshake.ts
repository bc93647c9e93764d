import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Cancel } from '../core/ports/clock.js';

/** Bytes that a peer may send early; reading pauses there until the handshake is decided. */
const maxEarlyBytes = 16_384;

/**
 * A handshake that is not decided yet. Most are decided within one tick. Slower ones must be
 * watched and read, because Node reports EOF only after buffered data.
 */
export class PendingHandshake {
  private over = false;
  /** Data received before the decision, once the handshake is watched. */
  private early: Buffer[] | undefined;
  private earlyBytes = 0;
  private unwatch: (() => void) | undefined;
  private cancelDeadline: Cancel | undefined;

  constructor(
    readonly request: IncomingMessage,
    readonly socket: Duplex,
    /** The client's address. */
    readonly address: string,
    private readonly head: Buffer,
    /** The clock's time at the start of the handshake. */
    readonly handshakeStartedMs: number,
  ) {}

  /**
   * Watches the peer of a handshake that was not decided at once. `cancelDeadline` is called on
   * settling.
   *
   * @param onGone - called at most once, and not after `end`; immediately if the peer has already
   *   left
   */
  watch(onGone: () => void, cancelDeadline: Cancel): void {
    const { socket, head } = this;
    const keep = (chunk: Buffer): void => this.keep(chunk);
    this.cancelDeadline = cancelDeadline;
    this.early = [];
    this.unwatch = () => {
      socket.off('data', keep);
      socket.off('end', onGone);
      socket.off('close', onGone);
      socket.pause();
    };
    socket.on('data', keep);
    socket.on('end', onGone);
    socket.on('close', onGone);
    this.keep(head);
    if (socket.destroyed || socket.readableEnded) onGone();
  }

  /**
   * Detaches from the socket, which stays paused if it was watched, and returns the early data in
   * order. Returns `undefined` if the handshake is already over.
   */
  end(): Buffer | undefined {
    if (this.over) return undefined;
    this.over = true;
    this.unwatch?.();
    return this.early === undefined ? this.head : Buffer.concat(this.early);
  }

  /** The guards have answered or timed out. */
  settled(): void {
    this.cancelDeadline?.();
  }

  private keep(chunk: Buffer): void {
    this.early?.push(chunk);
    this.earlyBytes += chunk.length;
    if (this.earlyBytes >= maxEarlyBytes) this.socket.pause();
  }
}
