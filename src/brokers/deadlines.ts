import type { Clock } from '../core/ports/clock.js';

interface Call {
  readonly dueMs: number;
  readonly bytes: number;
  readonly reject: (error: Error) => void;
}

export interface DeadlineOptions {
  /** Name of the engine, for errors. */
  readonly engine: string;
  readonly timeoutMs: number;
  /** Calls, and the sum of their bytes, that may wait for an answer. */
  readonly maxCalls: number;
  readonly maxBytes: number;
}

/** A timer this late, in milliseconds, shows that this process stood still. */
const stoodStillMs = 250;
/** Milliseconds to read the answers that arrived in the meantime. */
const readMs = 1_000;

/** Bounds the calls to an engine in number, bytes and time, with one timer for all of them. */
export class Deadlines {
  // Ordered by deadline, because every call has the same timeout.
  private readonly calls = new Set<Call>();
  private byteLength = 0;
  private scheduled = false;
  private idle: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly options: DeadlineOptions,
  ) {}

  get size(): number {
    return this.calls.size;
  }

  /**
   * Resolves as `work` does, or rejects after the timeout. A call that timed out may still take
   * effect.
   *
   * @throws Error without calling `work` if too many calls or bytes already wait
   */
  run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const { engine, maxCalls, maxBytes, timeoutMs } = this.options;
    if (this.calls.size >= maxCalls || (this.calls.size > 0 && this.byteLength + bytes > maxBytes))
      return Promise.reject(new Error(`Too many calls to ${engine} are waiting for an answer.`));
    return new Promise((resolve, reject) => {
      const call: Call = { dueMs: this.clock.now() + timeoutMs, bytes, reject };
      this.calls.add(call);
      this.byteLength += bytes;
      this.schedule(timeoutMs);
      work().then(
        (value) => {
          this.finish(call);
          resolve(value);
        },
        (error: unknown) => {
          this.finish(call);
          reject(error as Error);
        },
      );
    });
  }

  /** Resolves once no call is waiting. */
  async settled(): Promise<void> {
    if (this.calls.size === 0) return;
    await new Promise<void>((resolve) => {
      this.idle = resolve;
    });
  }

  private finish(call: Call): void {
    if (!this.calls.delete(call)) return;
    this.byteLength -= call.bytes;
    if (this.calls.size === 0) this.idle?.();
  }

  private schedule(ms: number, maxLateMs = stoodStillMs): void {
    if (this.scheduled) return;
    this.scheduled = true;
    const dueMs = this.clock.now() + ms;
    this.clock.after(ms, () => {
      this.scheduled = false;
      const now = this.clock.now();
      if (now - dueMs > maxLateMs) return this.schedule(readMs, Number.POSITIVE_INFINITY);
      for (const call of this.calls) {
        if (call.dueMs > now) return this.schedule(call.dueMs - now);
        this.finish(call);
        const { engine, timeoutMs } = this.options;
        call.reject(new Error(`${engine} did not answer within ${String(timeoutMs)} ms.`));
      }
    });
  }
}
