import type { Msg } from '@nats-io/transport-node';
import type { Clock } from '../../core/ports/clock.js';
import { EngineConnection } from '../engine-connection.js';
import type { ResolvedNatsOptions } from './nats-broker.options.js';
import { type EngineEvents, NatsEngine } from './nats-engine.js';
import type { NatsSubjects } from './nats-subjects.js';

export interface ConnectionEvents {
  message(subject: string, message: Msg): void;
  /** A connection is open but not used yet. */
  opened(engine: NatsEngine): Promise<void>;
  /** Requests the stream from the server and evaluates the answer. */
  probe(engine: NatsEngine): Promise<void>;
  /** Everything known about the stream is obsolete. */
  streamLost(): void;
}

/** The connection to NATS and its stream. */
export class NatsConnection extends EngineConnection<NatsEngine> {
  constructor(
    private readonly options: ResolvedNatsOptions,
    private readonly subjects: NatsSubjects,
    private readonly clock: Clock,
    private readonly events: ConnectionEvents,
  ) {
    super(clock, { engine: 'NATS', broker: 'NatsBroker' }, options);
  }

  protected make(lost: (error: Error) => void): NatsEngine {
    const events: EngineEvents = {
      message: (subject: string, message: Msg) => this.events.message(subject, message),
      streamLost: () => this.streamLost(),
      failed: this.options.onError,
      probe: () => this.events.probe(engine),
      lost,
    };
    const engine: NatsEngine = new NatsEngine(this.options, this.subjects, events, this.clock);
    return engine;
  }

  protected channels(): readonly string[] {
    const { signals, turns, lives } = this.subjects;
    return [signals, turns, lives];
  }

  protected override opening(engine: NatsEngine): Promise<void> {
    return this.events.opened(engine);
  }

  private streamLost(): void {
    this.events.streamLost();
    this.sink.suspect();
  }
}
