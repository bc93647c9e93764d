import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Bytes that a peer may send ahead; nobody reads further until the handshake is decided. */
const maxEarlyBytes = 16_384;

/**
 * One handshake that is not decided yet. Its socket is read meanwhile: that a peer has left shows only behind what it
 * has sent ahead.
 */
export class PendingHandshake {
  private abort: AbortController | undefined;
  private over = false;
  private readonly early: Buffer[];
  private earlyBytes: number;

  /** @param onGone called at most once, and not after `end` */
  constructor(
    readonly request: IncomingMessage,
    readonly socket: Duplex,
    /** The client's. */
    readonly address: string,
    head: Buffer,
    /** When it began, on the clock. */
    readonly knockedMs: number,
    private readonly onGone: () => void,
  ) {
    this.early = [head];
    this.earlyBytes = head.length;
    socket.on('data', this.keep);
    socket.on('end', onGone);
    socket.on('close', onGone);
    this.stopAtLimit();
  }

  /** Aborts when nobody waits any more, decided or not. Made when it is first asked for: it would be a tenth of what a peer costs. */
  get signal(): AbortSignal {
    this.abort ??= new AbortController();
    if (this.over) this.abort.abort();
    return this.abort.signal;
  }

  /** Leaves the socket, paused; gives what came ahead, in order. */
  end(): Buffer {
    const { socket, early } = this;
    socket.off('data', this.keep);
    socket.off('end', this.onGone);
    socket.off('close', this.onGone);
    socket.pause();
    this.over = true;
    this.abort?.abort();
    return Buffer.concat(early);
  }

  private readonly keep = (chunk: Buffer): void => {
    this.early.push(chunk);
    this.earlyBytes += chunk.length;
    this.stopAtLimit();
  };

  private stopAtLimit(): void {
    if (this.earlyBytes >= maxEarlyBytes) this.socket.pause();
  }
}
