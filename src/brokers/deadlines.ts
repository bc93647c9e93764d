import type { Clock } from '../core/ports/clock.js';

interface Call {
  readonly dueMs: number;
  readonly bytes: number;
  readonly reject: (error: Error) => void;
}

export interface DeadlineOptions {
  /** What the calls wait for, in errors. */
  readonly engine: string;
  readonly timeoutMs: number;
  /** Calls, and bytes of them, that may wait for an answer. */
  readonly maxCalls: number;
  readonly maxBytes: number;
}

/** Calls that wait for an engine: bounded in number, bytes and time, with one timer for all of them. */
export class Deadlines {
  // In the order of their deadlines, because all have the same time.
  private readonly calls = new Set<Call>();
  private byteLength = 0;
  private planned = false;
  private idle: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly options: DeadlineOptions,
  ) {}

  get size(): number {
    return this.calls.size;
  }

  /**
   * What `work` resolves to, in time. Whether a late call still happens, nobody knows.
   *
   * @throws Error, and does not begin, when too much waits already
   */
  run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const { engine, maxCalls, maxBytes, timeoutMs } = this.options;
    if (this.calls.size >= maxCalls || (this.calls.size > 0 && this.byteLength + bytes > maxBytes))
      return Promise.reject(new Error(`Too many calls wait for ${engine}.`));
    return new Promise((resolve, reject) => {
      const call: Call = { dueMs: this.clock.now() + timeoutMs, bytes, reject };
      this.calls.add(call);
      this.byteLength += bytes;
      this.plan(timeoutMs);
      work().then(
        (value) => {
          this.end(call);
          resolve(value);
        },
        (error: unknown) => {
          this.end(call);
          reject(error as Error);
        },
      );
    });
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    if (this.calls.size === 0) return;
    await new Promise<void>((resolve) => {
      this.idle = resolve;
    });
  }

  private end(call: Call): void {
    if (!this.calls.delete(call)) return;
    this.byteLength -= call.bytes;
    if (this.calls.size === 0) this.idle?.();
  }

  private plan(ms: number): void {
    if (this.planned) return;
    this.planned = true;
    this.clock.after(ms, () => {
      this.planned = false;
      const now = this.clock.now();
      for (const call of this.calls) {
        if (call.dueMs > now) return this.plan(call.dueMs - now);
        this.end(call);
        const { engine, timeoutMs } = this.options;
        call.reject(new Error(`${engine} did not answer within ${String(timeoutMs)} ms.`));
      }
    });
  }
}
