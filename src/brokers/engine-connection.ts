import { type BrokerSink, silentSink } from '../core/ports/broker.js';
import type { Clock } from '../core/ports/clock.js';
import { Deadlines } from './deadlines.js';
import { Link, type LinkEngine, type LinkOptions } from './link.js';
import { type SubscriptionEngine, Subscriptions } from './subscriptions.js';

export type ConnectedEngine = LinkEngine & SubscriptionEngine;

/** The words of errors. */
export interface EngineNames {
  readonly engine: string;
  readonly broker: string;
}

export interface EngineConnectionOptions extends Omit<LinkOptions, 'engine'> {
  readonly callTimeoutMs: number;
  readonly maxWaitingCalls: number;
  readonly maxWaitingBytes: number;
  readonly lingerMs: number;
  readonly onError: (doing: string, error: unknown) => void;
}

/** Maximum lingering subscriptions. */
const maxLingering = 10_000;

/**
 * The connection to an engine: calls with deadlines, subscriptions that survive a reconnect, and a
 * report of each loss.
 */
export abstract class EngineConnection<Engine extends ConnectedEngine> {
  readonly subscriptions: Subscriptions;
  /** Number of lost connections since the start. */
  lossesTotal = 0;
  /** Receives everything from the start until the connection is closed. */
  sink: BrokerSink = silentSink;
  protected readonly link: Link<Engine>;
  private readonly calls: Deadlines;
  // Separate, so that calls that wait for the first connection cannot keep it from opening. Few run
  // at a time.
  private readonly commands: Deadlines;
  private state: 'new' | 'started' | 'closing' | 'closed' = 'new';
  private closing: Promise<void> | undefined;

  constructor(
    clock: Clock,
    private readonly names: EngineNames,
    private readonly settings: EngineConnectionOptions,
  ) {
    const { callTimeoutMs, maxWaitingCalls, maxWaitingBytes, lingerMs, onError } = settings;
    const { engine } = names;
    const deadlines = { engine, timeoutMs: callTimeoutMs, maxBytes: maxWaitingBytes };
    this.calls = new Deadlines(clock, { ...deadlines, maxCalls: maxWaitingCalls });
    this.commands = new Deadlines(clock, { ...deadlines, maxCalls: Number.POSITIVE_INFINITY });
    this.subscriptions = new Subscriptions(clock, {
      lingerMs,
      maxLingering,
      failed: (error) => onError(`unsubscribing in ${engine}`, error),
    });
    this.link = new Link(
      clock,
      { ...settings, engine },
      {
        make: (lost) => this.make(lost),
        prepare: (made) => this.prepare(made),
        opened: () => this.opened(),
        lost: (error, worked) => this.lost(error, worked),
      },
    );
  }

  get available(): boolean {
    return this.link.engine !== undefined;
  }

  /** Whether a call made now reaches the engine at once. */
  get accepting(): boolean {
    return this.state === 'started' && this.link.engine !== undefined;
  }

  /**
   * The engine, which calls in flight can use until the connection is closed.
   *
   * @throws Error while the engine is unavailable
   */
  get engine(): Engine {
    if (this.link.engine !== undefined) return this.link.engine;
    throw this.state === 'closed' ? this.closed() : new Error(`${this.names.engine} is away.`);
  }

  start(sink: BrokerSink): void {
    const { broker } = this.names;
    if (this.state !== 'new')
      throw new Error(`This ${broker} has been started already: each application needs its own.`);
    this.state = 'started';
    this.sink = sink;
    this.link.open();
  }

  /** Resolves with the engine; at the start, after the first attempt to connect. */
  async ready(): Promise<Engine> {
    if (this.state === 'started' && this.link.engine === undefined) await this.link.attempted;
    if (this.state === 'closing') throw this.closed();
    return this.engine;
  }

  /**
   * Runs a call on the engine with a deadline. Calls made in one tick keep their order. Rejects
   * once the connection is closing.
   */
  call<T>(bytes: number, work: (engine: Engine) => Promise<T>): Promise<T> {
    if (this.state === 'closing') return Promise.reject(this.closed());
    return this.calls.run(bytes, async () => work(this.accepting ? this.engine : await this.ready()));
  }

  /** Publications of any topic may have been missed. */
  suspect(): void {
    if (this.available) this.sink.suspect();
  }

  /** Refuses new calls and waits for those in flight, at most for the duration of one call. */
  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  /** Creates an engine, which reports its loss with `lost`. */
  protected abstract make(lost: (error: Error) => void): Engine;

  /** Channels that every instance reads, beside those of topics. */
  protected abstract channels(): readonly string[];

  /** Runs before the subscriptions of topics are restored on a new engine. */
  protected async opening(_engine: Engine): Promise<void> {}

  private async prepare(engine: Engine): Promise<void> {
    const inTime: SubscriptionEngine = {
      subscribe: (channels) => this.commands.run(0, () => engine.subscribe(channels)),
      unsubscribe: (channels) => this.commands.run(0, () => engine.unsubscribe(channels)),
    };
    await inTime.subscribe(this.channels());
    await this.commands.run(0, () => this.opening(engine));
    await this.subscriptions.attach(inTime);
  }

  private opened(): void {
    if (this.lossesTotal > 0) this.sink.suspect();
    this.sink.availability(true);
  }

  private lost(error: Error, worked: boolean): void {
    this.subscriptions.detach(error);
    if (this.state !== 'started') return;
    const { engine } = this.names;
    if (worked) {
      this.lossesTotal += 1;
      this.sink.availability(false);
    }
    this.settings.onError(worked ? `keeping the connection to ${engine}` : `connecting to ${engine}`, error);
  }

  private async finish(): Promise<void> {
    this.state = 'closing';
    if (this.available) await Promise.all([this.calls.settled(), this.commands.settled()]);
    this.state = 'closed';
    this.sink = silentSink;
    this.link.close();
    this.subscriptions.detach(this.closed());
  }

  private closed(): Error {
    return new Error(`This ${this.names.broker} is closed.`);
  }
}
