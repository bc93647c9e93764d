import type { SharedEvent } from '../frame/shared-event.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { SlowReaderQueue } from '../outbound/backlog.js';
import type { Outbox } from '../outbound/outbox.js';
import type { Clock } from '../ports/clock.js';
import { Conflation, Line } from './waiting.js';
import type { SlowPolicy } from '../ports/policy.js';
import type { Pace, WaitingEvents } from './pace.js';

/** What a pace needs from its subscription. */
export interface PacedReader {
  readonly outbox: Outbox;
  /** Maximum size of a message that the peer accepts, in bytes. */
  readonly maxBytes: number;
  /**
   * Publications from this offset on were dropped. The peer reads again and needs a fresh start.
   */
  leftOut(from: number): void;
}

/**
 * Sends publications as fast as the subscriber reads: at once while it keeps up, merged or dropped
 * while it does not. Every frame says which offsets it covers, so the position stays contiguous.
 * [L-4.7] [L-9.8]
 */
export class OwnPace implements Pace, SlowReaderQueue {
  private readonly waiting: WaitingEvents | undefined;
  /** Publications were dropped since the last frame. */
  skipping = false;

  constructor(
    private readonly reader: PacedReader,
    slow: SlowPolicy,
    /** Last offset covered by a frame that was sent. */
    private sent: number,
    private readonly clock: Clock,
  ) {
    if (slow === 'conflate') this.waiting = new Conflation();
    else if (slow === 'skip') this.waiting = new Line();
  }

  get next(): number {
    return this.sent + 1;
  }

  get queuedBytes(): number {
    return this.waiting?.bytes ?? 0;
  }

  get queuedMessages(): number {
    return this.waiting?.size ?? 0;
  }

  offer(event: SharedEvent): void {
    const { waiting } = this;
    const { outbox } = this.reader;
    if (event.offset <= this.sent || this.skipping) return;
    if (waiting === undefined || !outbox.behind) {
      outbox.push(this.frameOf(event));
      return;
    }
    const { bytes, size } = waiting;
    waiting.add(event, this.clock.now());
    outbox.wait(this, waiting.bytes - bytes, waiting.size - size);
  }

  take(): SharedFrame | undefined {
    if (this.skipping) {
      this.reader.leftOut(this.next);
      return undefined;
    }
    const event = this.waiting?.take();
    return event && this.frameOf(event);
  }

  shed(): void {
    if (this.queuedBytes === 0) return;
    this.waiting?.clear();
    this.skipping = true;
  }

  /** The group dropped its data, so nothing more is sent before `endSkip`. */
  skip(): void {
    this.skipping = true;
  }

  /**
   * Reports the skipped publications, now or when the peer reads again. With the policy `close`,
   * closes it.
   */
  endSkip(): void {
    const { outbox } = this.reader;
    if (this.waiting === undefined) outbox.giveUp();
    else if (outbox.behind) outbox.wait(this, 0, 0);
    else this.reader.leftOut(this.next);
  }

  shedBefore(ms: number): void {
    const { oldestMs } = this.waiting ?? {};
    if (oldestMs !== undefined && oldestMs <= ms) this.shed();
  }

  restart(after: number): void {
    this.stop();
    this.sent = after;
    this.skipping = false;
  }

  stop(): void {
    this.reader.outbox.leave(this);
    this.waiting?.clear();
  }

  private frameOf(event: SharedEvent): SharedFrame {
    const from = this.next;
    this.sent = event.offset;
    return event.frameFrom(from).within(this.reader.maxBytes);
  }
}
