import type { Drained, LiveSocket } from '../core/ports/socket.js';
import { FrameTexts } from './sim/frame-texts.js';

/** A socket without a network. It records every write, and is as slow as a test wants. */
export class TestSocket implements LiveSocket {
  /** Whether neither side has started to close. */
  open = true;
  /** Whether the server has stopped reading. */
  paused = false;
  /** Number of pings that the server has sent. */
  pings = 0;
  /** Whether the server has ended it without a close frame. */
  terminated = false;
  /** Close code and reason that the server sent; `undefined` before. */
  closedWith:
    | {
        /** Close code. */
        readonly code: number;
        /** Close reason; may be empty. */
        readonly reason: string;
      }
    | undefined;
  /** Every write, as the text messages it contains. */
  readonly writes: string[][] = [];
  /** Bytes written that the peer has not read. */
  bufferedBytes = 0;
  readonly windowBits = 0;
  private readonly frameTexts = new FrameTexts();
  private waiters: Drained[] = [];
  /** Called when the socket is gone, as `ws` would. */
  onGone: (code: number, reason: string) => void = () => {};

  /**
   * @param slow - whether written bytes stay in `bufferedBytes` until `drain`
   * @param answersClose - whether the peer answers a close at once
   */
  constructor(
    private readonly slow = false,
    private readonly answersClose = true,
  ) {}

  /** All messages so far, parsed. */
  get messages(): unknown[] {
    return this.writes.flat().map((text) => JSON.parse(text) as unknown);
  }

  write(frames: Uint8Array): void {
    this.writes.push(this.frameTexts.read(frames));
    if (this.slow) this.bufferedBytes += frames.byteLength;
  }

  /** The peer reads everything written, and waiting writers continue. */
  drain(): void {
    this.bufferedBytes = 0;
    const { waiters } = this;
    this.waiters = [];
    for (const waiter of waiters) waiter.drained();
  }

  whenDrained(waiter: Drained): void {
    this.waiters.push(waiter);
  }

  ping(): void {
    this.pings += 1;
  }

  close(code: number, reason: string): void {
    this.closedWith = { code, reason };
    this.open = false;
    if (this.answersClose) this.onGone(code, reason);
  }

  terminate(): void {
    this.terminated = true;
    this.gone(1006, '');
  }

  /** Ends the connection from the peer's side. */
  gone(code: number, reason: string): void {
    this.open = false;
    this.onGone(code, reason);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}
