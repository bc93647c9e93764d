import { Buffer } from 'node:buffer';
import type { Published } from '../ports/broker.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { PublishQueueLimits } from '../ports/limits.js';

interface Waiting {
  readonly bytes: number;
  readonly dueMs: number;
  send(): Promise<Published>;
  resolve(published: Promise<Published>): void;
  reject(error: Error): void;
}

/**
 * Bounded queue of publications that wait for an unavailable broker. Keeps their order and settles
 * each in time.
 */
export class PublishQueue {
  private waiting: Waiting[] = [];
  private bytes = 0;
  private cancel: Cancel | undefined;

  constructor(
    private readonly limits: PublishQueueLimits,
    private readonly clock: Clock,
    /** Whether a publication can be sent now. */
    private readonly isOpen: () => boolean,
    private readonly refusal: () => Error,
  ) {}

  /** Number of queued publications. */
  get size(): number {
    return this.waiting.length;
  }

  /** Returns `undefined` if it does not fit. */
  add(text: string, send: () => Promise<Published>): Promise<Published> | undefined {
    const { maxMessages, maxBytes, maxWaitMs } = this.limits;
    const bytes = Buffer.byteLength(text);
    if (this.waiting.length >= maxMessages || this.bytes + bytes > maxBytes) return undefined;
    this.bytes += bytes;
    const dueMs = this.clock.now() + maxWaitMs;
    const published = new Promise<Published>((resolve, reject) => {
      this.waiting.push({ bytes, dueMs, send, resolve, reject });
    });
    this.plan();
    return published;
  }

  /** Sends the queue in order, unless sending becomes impossible again. */
  flush(): void {
    while (this.isOpen()) {
      const next = this.shift();
      if (next === undefined) return;
      next.resolve(next.send());
    }
  }

  /** Refuses all queued publications. */
  refuseAll(): void {
    for (let next = this.shift(); next !== undefined; next = this.shift()) next.reject(this.refusal());
  }

  private shift(): Waiting | undefined {
    const next = this.waiting.shift();
    if (next === undefined) return undefined;
    this.bytes -= next.bytes;
    if (this.waiting.length === 0) {
      this.cancel?.();
      this.cancel = undefined;
    }
    return next;
  }

  /** Sets the timer for the oldest publication, which expires first. */
  private plan(): void {
    const [first] = this.waiting;
    if (first === undefined || this.cancel !== undefined) return;
    this.cancel = this.clock.after(Math.max(0, first.dueMs - this.clock.now()), () => {
      this.cancel = undefined;
      const now = this.clock.now();
      while ((this.waiting[0]?.dueMs ?? Infinity) <= now) this.shift()?.reject(this.refusal());
      this.plan();
    });
  }
}
