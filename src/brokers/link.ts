import type { Cancel, Clock } from '../core/ports/clock.js';

/** The connections to a store that holds and carries the streams, from one opening to one loss. */
export interface LinkEngine {
  open(): Promise<void>;
  /** Resolves once one of our messages has returned. */
  probe(): Promise<void>;
  close(): void;
}

export interface LinkOptions {
  /** Name of the engine, for errors. */
  readonly engine: string;
  /** Milliseconds for opening all connections. */
  readonly openTimeoutMs: number;
  /** Milliseconds between probes. */
  readonly probeIntervalMs: number;
  /** Milliseconds for a probe to return. */
  readonly probeTimeoutMs: number;
}

export interface LinkEvents<Engine extends LinkEngine> {
  /** Creates a new engine, which reports its loss with `lost`. */
  make(lost: (error: Error) => void): Engine;
  /** Restores the subscriptions before the engine is used. Rejects if that fails. */
  prepare(engine: Engine): Promise<void>;
  /** The engine works. */
  opened(): void;
  /** An engine was lost, whether or not it ever worked. */
  lost(error: Error, worked: boolean): void;
}

/** Pauses between attempts, in milliseconds. */
const pauses = { firstMs: 50, maxMs: 1_000 } as const;
/** Slices of a timeout. At most as many again do not count. */
const slices = 8;

/**
 * Keeps a working engine: opens one, probes its connections, and replaces it if a probe does not
 * return. Probes are needed because a connection can be dead for many minutes without an error, and
 * a silent one looks like one without traffic.
 */
export class Link<Engine extends LinkEngine> {
  /** The working engine. */
  engine: Engine | undefined;
  /** Resolves once the first attempt has ended, successfully or not. */
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

  /** Drops an engine that misbehaves and opens another one. */
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

  /**
   * Rejects after a timeout. Slices of it in which this process stood still do not count: the
   * answer may have arrived unread.
   */
  private within(ms: number, what: string, work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const sliceMs = ms / slices;
      let [left, all] = [slices, 2 * slices];
      let cancel: Cancel = () => {};
      const wait = (): void => {
        const dueMs = this.clock.now() + sliceMs;
        cancel = this.clock.after(sliceMs, () => {
          all -= 1;
          if (this.clock.now() - dueMs < sliceMs / 2) left -= 1;
          if (left > 0 && all > 0) wait();
          else reject(new Error(`${this.options.engine} did not ${what} within ${String(ms)} ms.`));
        });
      };
      wait();
      work.then(resolve, reject).finally(() => cancel());
    });
  }
}
