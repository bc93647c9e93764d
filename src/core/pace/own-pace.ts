import type { SharedEvent } from '../frame/shared-event.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { SlowReaderQueue } from '../outbound/backlog.js';
import type { Outbox } from '../outbound/outbox.js';
import type { Clock } from '../ports/clock.js';
import { Conflation, type ConflationLog } from './conflation.js';
import { Line } from './line.js';
import type { SlowPolicy } from '../ports/policy.js';
import type { WaitingEvents } from './pace.js';

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
export class OwnPace implements SlowReaderQueue {
  private waiting: WaitingEvents | undefined;
  /** Last offset covered by a frame that was sent. */
  private sent = 0;
  /** Nothing is sent: publications were dropped since the last frame, or it has stopped. */
  skipping = false;

  constructor(
    private readonly reader: PacedReader,
    private readonly slow: SlowPolicy,
    private readonly clock: Clock,
  ) {}

  get next(): number {
    return this.sent + 1;
  }

  get queuedBytes(): number {
    return this.waiting?.bytes ?? 0;
  }

  get queuedMessages(): number {
    return this.waiting?.size ?? 0;
  }

  /** Sends all these publications at once if nothing waits and none of them was sent before. */
  keepsUp(events: readonly SharedEvent[], joined: SharedFrame): boolean {
    const { outbox, maxBytes } = this.reader;
    if (events[0]?.offset !== this.next || this.skipping || maxBytes < Infinity || outbox.behind)
      return false;
    this.sent = events.at(-1)?.offset ?? this.sent;
    outbox.push(joined);
    return true;
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
    waiting.add(event);
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

  /**
   * The subscriber has everything up to this offset. It shares the log with all that are offered
   * the same publications from now on.
   */
  restart(after: number, log: ConflationLog): void {
    this.stop();
    if (this.slow === 'conflate') this.waiting = new Conflation(log);
    else if (this.slow === 'skip') this.waiting = new Line(this.clock);
    this.sent = after;
    this.skipping = false;
  }

  stop(): void {
    this.reader.outbox.leave(this);
    this.waiting?.clear();
    this.skipping = true;
  }

  private frameOf(event: SharedEvent): SharedFrame {
    const from = this.next;
    this.sent = event.offset;
    return event.frameFrom(from).within(this.reader.maxBytes);
  }
}
