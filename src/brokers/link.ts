import type { Cancel, Clock } from '../core/ports/clock.js';

/** The connections to whatever stores and carries the streams, from one opening to one loss. */
export interface LinkEngine {
  open(): Promise<void>;
  /** Resolves when a message of ours has come back. */
  probe(): Promise<void>;
  close(): void;
}

export interface LinkOptions {
  /** What is at the other end, in errors. */
  readonly engine: string;
  /** Milliseconds for opening all connections. */
  readonly openTimeoutMs: number;
  /** Milliseconds between two probes. */
  readonly probeIntervalMs: number;
  /** Milliseconds for a probe to come back. */
  readonly probeTimeoutMs: number;
}

export interface LinkEvents<Engine extends LinkEngine> {
  /** A new engine, whose loss is told by `lost`. */
  make(lost: (error: Error) => void): Engine;
  /** Before the engine counts: brings back what was subscribed. Rejects when it cannot. */
  prepare(engine: Engine): Promise<void>;
  /** The engine works. */
  opened(): void;
  /** An engine is gone that worked, or that never did. */
  lost(error: Error, worked: boolean): void;
}

/** Milliseconds before another attempt: the first pause, and the longest. */
const pauses = { firstMs: 50, maxMs: 1_000 } as const;

/**
 * Keeps an engine that works: opens one, probes it on each connection, drops it when a probe does not come back, and opens
 * the next. Why probes: a connection can be dead for many minutes without an error, and one on which nothing comes in
 * looks like one on which nothing happens.
 */
export class Link<Engine extends LinkEngine> {
  /** The engine that works. */
  engine: Engine | undefined;
  /** Settles when the first attempt has ended, however. */
  readonly attempted: Promise<void>;
  private current: Engine | undefined;
  private failures = 0;
  private cancel: Cancel = () => {};
  private closed = false;
  private firstAttemptEnded: () => void = () => {};

  constructor(
    private readonly clock: Clock,
    private readonly options: LinkOptions,
    private readonly events: LinkEvents<Engine>,
  ) {
    this.attempted = new Promise((resolve) => {
      this.firstAttemptEnded = resolve;
    });
  }

  open(): void {
    const engine: Engine = this.events.make((error) => this.lose(engine, error));
    this.current = engine;
    this.bring(engine).then(
      () => this.use(engine),
      (error: unknown) => this.lose(engine, error as Error),
    );
  }

  close(): void {
    this.closed = true;
    this.cancel();
    this.current?.close();
    this.current = this.engine = undefined;
    this.firstAttemptEnded();
  }

  /** The engine does not do what it should: it is dropped, and another one opened. */
  lose(engine: Engine, error: Error): void {
    if (this.current !== engine) return;
    const worked = this.engine === engine;
    this.current = this.engine = undefined;
    this.cancel();
    engine.close();
    this.firstAttemptEnded();
    this.events.lost(error, worked);
    const pauseMs = Math.min(pauses.maxMs, pauses.firstMs * 2 ** this.failures);
    this.failures += 1;
    this.cancel = this.clock.after(pauseMs * (0.5 + this.clock.random() / 2), () => this.open());
  }

  private async bring(engine: Engine): Promise<void> {
    const { openTimeoutMs, probeTimeoutMs } = this.options;
    await this.within(openTimeoutMs, 'open', engine.open());
    await this.events.prepare(engine);
    await this.within(probeTimeoutMs, 'carry a first message', engine.probe());
  }

  private use(engine: Engine): void {
    if (this.current !== engine || this.closed) return;
    this.engine = engine;
    this.failures = 0;
    this.firstAttemptEnded();
    this.events.opened();
    this.planProbe(engine);
  }

  private planProbe(engine: Engine): void {
    if (this.engine !== engine) return;
    const { probeIntervalMs, probeTimeoutMs } = this.options;
    this.cancel = this.clock.after(probeIntervalMs, () => {
      this.within(probeTimeoutMs, 'bring back a message of ours', engine.probe()).then(
        () => this.planProbe(engine),
        (error: unknown) => this.lose(engine, error as Error),
      );
    });
  }

  /** Rejects in time. Where this process stood still meanwhile, the answer may be there unread, and gets as long again. */
  private within(ms: number, what: string, work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const dueMs = this.clock.now() + ms;
      const late = (): void =>
        reject(new Error(`${this.options.engine} did not ${what} within ${String(ms)} ms.`));
      let cancel = this.clock.after(ms, () => {
        if (this.clock.now() - dueMs < ms / 4) late();
        else cancel = this.clock.after(ms, late);
      });
      work.then(resolve, reject).finally(() => cancel());
    });
  }
}
