import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Cancel } from '../core/ports/clock.js';

/** Bytes that a peer may send ahead; nobody reads further until the handshake is decided. */
const maxEarlyBytes = 16_384;

/**
 * One handshake that is not decided yet. Most are before anything else can happen; a socket whose handshake takes longer
 * is watched, and read meanwhile: that a peer has left shows only behind what it has sent ahead.
 */
export class PendingHandshake {
  private abort: AbortController | undefined;
  private over = false;
  /** What came ahead of the decision, once it is watched. */
  private early: Buffer[] | undefined;
  private earlyBytes = 0;
  private unwatch: (() => void) | undefined;
  private cancelDeadline: Cancel | undefined;

  constructor(
    readonly request: IncomingMessage,
    readonly socket: Duplex,
    /** The client's. */
    readonly address: string,
    private readonly head: Buffer,
    /** When it began, on the clock. */
    readonly knockedMs: number,
  ) {}

  /** Aborts when nobody waits any more, decided or not. Made when it is first asked for: it would be a tenth of what a peer costs. */
  get signal(): AbortSignal {
    this.abort ??= new AbortController();
    if (this.over) this.abort.abort();
    return this.abort.signal;
  }

  /**
   * It takes longer: from now on its peer is watched, and `cancelDeadline` called when it is settled.
   *
   * @param onGone called at most once, and not after `end`; at once for a peer that has left already
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

  /** Leaves the socket, paused where it was watched; gives what came ahead, in order. `undefined` when it was over already. */
  end(): Buffer | undefined {
    if (this.over) return undefined;
    this.over = true;
    this.unwatch?.();
    this.abort?.abort();
    return this.early === undefined ? this.head : Buffer.concat(this.early);
  }

  /** Nobody is asked about it any more. */
  settled(): void {
    this.cancelDeadline?.();
  }

  private keep(chunk: Buffer): void {
    this.early?.push(chunk);
    this.earlyBytes += chunk.length;
    if (this.earlyBytes >= maxEarlyBytes) this.socket.pause();
  }
}
