import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import {
  type Broker,
  type BrokerSink,
  type LatestReading,
  type Published,
  type BrokerPublishOptions,
  type RecoveryLimits,
  type StreamReading,
} from '../../core/ports/broker.js';
import type { Clock } from '../../core/ports/clock.js';
import { PublishRefusal } from '../../core/ports/publish-refusal.js';
import type { Position } from '../../protocol/position.js';
import { SystemClock } from '../../clock/system-clock.js';
import { RefusalReport } from '../refusal-report.js';
import { signalText } from '../signal-text.js';
import { Keeper } from './keeper.js';
import {
  type NatsBrokerOptions,
  resolveNatsOptions,
  type ResolvedNatsOptions,
} from './nats-broker.options.js';
import { NatsConnection } from './nats-connection.js';
import { NatsInbound } from './nats-inbound.js';
import { NatsSubjects, tokenOf } from './nats-subjects.js';
import { PublishLane } from './publish-lane.js';
import { saidTime, ServerClock } from './server-clock.js';
import { StoreLife } from './store-life.js';
import { StreamReader } from './stream-reader.js';
import { TopicLog } from './topic-log.js';
import { TopicYields } from './topic-yields.js';

/** Topics whose ends are read concurrently. */
const topsAtOnce = 64;

/**
 * Streams in NATS JetStream, server 2.9 or newer, shared by all instances with the same server,
 * account and stream.
 *
 * All topics share one JetStream stream, each under its own subject. A publication is appended only
 * if the topic's last message is the one its publisher knows, so offsets have no gaps or
 * duplicates. The server republishes each message once stored, so the order of delivery is the
 * order of the store.
 */
export class NatsBroker implements Broker {
  private readonly options: ResolvedNatsOptions;
  private readonly subjects: NatsSubjects;
  private readonly connection: NatsConnection;
  private readonly inbound: NatsInbound;
  private readonly life: StoreLife;
  private readonly log: TopicLog;
  private readonly reader: StreamReader;
  private readonly keeper: Keeper;
  // By the topic's token in subjects.
  private readonly lanes = new Map<string, PublishLane>();
  private readonly yields: TopicYields;
  private readonly refusals: RefusalReport;
  private readonly id = randomBytes(6).toString('hex');

  /**
   * Connects when its application starts.
   *
   * @param clock - time and random numbers, for tests
   * @throws Error that names the option, and never shows a URL or a secret
   */
  constructor(
    options: NatsBrokerOptions = {},
    private readonly clock: Clock = new SystemClock(),
  ) {
    this.options = resolveNatsOptions(options);
    const { stream, onError } = this.options;
    this.subjects = new NatsSubjects(stream.root);
    this.yields = new TopicYields(clock);
    this.refusals = new RefusalReport(clock, onError);
    const engine = () => this.connection.engine;
    const forget = (): void => {
      this.log.forget();
      this.keeper.forget();
    };
    this.life = new StoreLife(engine, clock, {
      changed: (lifeChanged) => {
        forget();
        if (lifeChanged) this.connection.suspect();
      },
    });
    this.log = new TopicLog(engine, this.life, clock, {
      junk: () => {
        this.inbound.junkTotal += 1;
      },
    });
    const serverClock = new ServerClock(clock, onError);
    this.reader = new StreamReader(this.log, serverClock);
    this.keeper = new Keeper(engine, this.log, this.reader, onError);
    let lastSeq: number | undefined;
    this.connection = new NatsConnection(this.options, this.subjects, clock, {
      message: (subject, message) => this.inbound.message(subject, message),
      opened: async (engine) => {
        forget();
        serverClock.reset();
        lastSeq = undefined;
        await this.life.opened(engine);
      },
      probe: async (engine) => {
        lastSeq = saidTime(serverClock, await this.life.probe(engine), lastSeq);
      },
      streamLost: forget,
    });
    this.inbound = new NatsInbound({
      connection: this.connection,
      subjects: this.subjects,
      log: this.log,
      life: this.life,
      instanceId: this.id,
      giveWay: (token) => this.yields.giveWay(token),
      failed: onError,
    });
  }

  get available(): boolean {
    return this.connection.available;
  }

  /** Messages dropped since the start because no instance sent them. */
  get junkTotal(): number {
    return this.inbound.junkTotal;
  }

  /** Number of lost connections since the start. */
  get lossesTotal(): number {
    return this.connection.lossesTotal;
  }

  /** Topics subscribed in NATS now, including lingering ones. */
  get subscribedTopics(): number {
    return this.connection.subscriptions.size;
  }

  start(sink: BrokerSink): void {
    this.connection.start(sink);
  }

  publish(topic: string, data: string, options: BrokerPublishOptions): Promise<Published> {
    const dueMs = this.clock.now() + this.options.callTimeoutMs;
    return this.connection.call(
      Buffer.byteLength(data),
      () =>
        new Promise((resolve, reject) => {
          this.laneOf(topic).add({
            data,
            options,
            dueMs,
            resolve: (published) => {
              this.refusals.accepted();
              resolve(published);
            },
            reject: (error) => {
              if (error instanceof PublishRefusal) this.refusals.refused(error.cause ?? error);
              reject(error as Error);
            },
          });
        }),
    );
  }

  subscribe(topic: string): Promise<void> {
    return this.connection.call(0, () =>
      this.connection.subscriptions.add(topic, this.subjects.outlet(topic)),
    );
  }

  async unsubscribe(topic: string): Promise<void> {
    this.connection.subscriptions.remove(this.subjects.outlet(topic));
  }

  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    return this.connection.call(0, () => this.reader.read(topic, since, limits));
  }

  tops(topics: readonly string[]): Promise<ReadonlyMap<string, Position>> {
    return this.connection.call(0, async () => {
      const tops = new Map<string, Position>();
      for (let i = 0; i < topics.length; i += topsAtOnce) {
        await Promise.all(
          topics.slice(i, i + topsAtOnce).map(async (topic) => {
            tops.set(topic, await this.reader.top(topic));
          }),
        );
      }
      return tops;
    });
  }

  latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading> {
    return this.connection.call(0, () => this.reader.latest(topic, maxKeyAgeMs));
  }

  signal(text: string): Promise<void> {
    const payload = Buffer.from(signalText(text));
    return this.connection.call(payload.length, (engine) => engine.send(this.subjects.signals, payload));
  }

  async close(): Promise<void> {
    await this.connection.close();
    this.log.forget();
    this.keeper.forget();
  }

  private laneOf(topic: string): PublishLane {
    const token = tokenOf(topic);
    let lane = this.lanes.get(token);
    if (lane === undefined) {
      lane = new PublishLane(topic, this.log, this.keeper, this.clock, {
        idle: () => this.lanes.delete(token),
        roomBytes: () =>
          this.connection.available ? this.connection.engine.roomBytes : Number.MAX_SAFE_INTEGER,
        waitMs: () => this.yields.waitMs(token),
        askForTurn: () =>
          this.connection.engine.sendWithoutWaiting(
            this.subjects.turns,
            Buffer.from(`1 ${this.id} ${token}`),
          ),
      });
      this.lanes.set(token, lane);
    }
    return lane;
  }
}
