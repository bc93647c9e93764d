import type { Msg } from '@nats-io/transport-node';
import { type BrokerSink, silentSink } from '../../core/ports/broker.js';
import type { Clock } from '../../core/ports/clock.js';
import { Deadlines } from '../deadlines.js';
import { Link } from '../link.js';
import { type SubscriptionEngine, Subscriptions } from '../subscriptions.js';
import type { ResolvedNatsOptions } from './nats-broker.options.js';
import { type EngineEvents, NatsEngine } from './nats-engine.js';
import type { NatsSubjects } from './nats-subjects.js';

/** Maximum lingering subscriptions. */
const maxLingering = 10_000;

export interface ConnectionEvents {
  message(subject: string, message: Msg): void;
  /** A connection is open but not used yet. */
  opened(engine: NatsEngine): Promise<void>;
  /** Requests the stream from the server and evaluates the answer. */
  probe(engine: NatsEngine): Promise<void>;
  /** Everything known about the stream is obsolete. */
  streamLost(): void;
}

/**
 * The connection to NATS: calls with deadlines, subscriptions that survive a reconnect, and a
 * report of each loss.
 */
export class NatsConnection {
  readonly subscriptions: Subscriptions;
  /** Number of lost connections since the start. */
  lossesTotal = 0;
  sink: BrokerSink = silentSink;
  private readonly link: Link<NatsEngine>;
  private readonly calls: Deadlines;
  private state: 'new' | 'started' | 'closed' = 'new';

  constructor(
    private readonly options: ResolvedNatsOptions,
    private readonly subjects: NatsSubjects,
    private readonly clock: Clock,
    private readonly events: ConnectionEvents,
  ) {
    const { callTimeoutMs, maxWaitingCalls, maxWaitingBytes, lingerMs, onError } = options;
    const engine = 'NATS';
    this.calls = new Deadlines(clock, {
      engine,
      timeoutMs: callTimeoutMs,
      maxCalls: maxWaitingCalls,
      maxBytes: maxWaitingBytes,
    });
    this.subscriptions = new Subscriptions(clock, {
      lingerMs,
      maxLingering,
      failed: (error) => onError('unsubscribing in NATS', error),
    });
    this.link = new Link(
      clock,
      { ...options, engine },
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

  /** @throws Error while NATS is unavailable */
  get engine(): NatsEngine {
    if (this.state === 'closed') throw closed();
    if (this.link.engine === undefined) throw new Error('NATS is away.');
    return this.link.engine;
  }

  start(sink: BrokerSink): void {
    if (this.state !== 'new')
      throw new Error('This NatsBroker has been started already: each application needs its own.');
    this.state = 'started';
    this.sink = sink;
    this.link.open();
  }

  /** Runs a call with a deadline. At the start it waits for the first attempt to connect. */
  call<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    return this.calls.run(bytes, async () => {
      if (this.state === 'started' && this.link.engine === undefined) await this.link.attempted;
      if (this.engine !== undefined) return work();
      throw closed();
    });
  }

  /** Publications of any topic may have been missed. */
  suspect(): void {
    if (this.available) this.sink.suspect();
  }

  /** Waits for the calls in flight, at most for the duration of one call. */
  async close(): Promise<void> {
    if (this.state === 'closed') return;
    if (this.available) await this.calls.settled();
    this.state = 'closed';
    this.sink = silentSink;
    this.link.close();
    this.subscriptions.detach(closed());
  }

  private make(lost: (error: Error) => void): NatsEngine {
    const engine: NatsEngine = new NatsEngine(
      this.options,
      this.subjects,
      this.eventsOf(() => engine, lost),
      this.clock,
    );
    return engine;
  }

  private eventsOf(engine: () => NatsEngine, lost: (error: Error) => void): EngineEvents {
    return {
      message: (subject: string, message: Msg) => this.events.message(subject, message),
      streamLost: () => this.streamLost(),
      failed: this.options.onError,
      probe: () => this.events.probe(engine()),
      lost,
    };
  }

  private async prepare(engine: NatsEngine): Promise<void> {
    const inTime: SubscriptionEngine = {
      subscribe: (subjects) => this.calls.run(0, () => engine.subscribe(subjects)),
      unsubscribe: (subjects) => this.calls.run(0, () => engine.unsubscribe(subjects)),
    };
    const { signals, turns, lives } = this.subjects;
    await inTime.subscribe([signals, turns, lives]);
    await this.calls.run(0, () => this.events.opened(engine));
    await this.subscriptions.attach(inTime);
  }

  private opened(): void {
    if (this.lossesTotal > 0) this.sink.suspect();
    this.sink.availability(true);
  }

  private streamLost(): void {
    this.events.streamLost();
    this.sink.suspect();
  }

  private lost(error: Error, worked: boolean): void {
    this.subscriptions.detach(error);
    if (this.state === 'closed') return;
    if (worked) {
      this.lossesTotal += 1;
      this.sink.availability(false);
    }
    this.options.onError(worked ? 'keeping the connection to NATS' : 'connecting to NATS', error);
  }
}

function closed(): Error {
  return new Error('This NatsBroker is closed.');
}
