import { MemoryBroker } from '../brokers/memory/memory-broker.js';
import type { LiveConnection } from '../core/ports/connection.js';
import type { ConnectionIdentity, LiveUser } from '../core/ports/identity.js';
import { Live } from '../core/live.js';
import type { LiveStats } from '../core/live-stats.js';
import { defaultLimits, type LiveLimits } from '../core/ports/limits.js';
import type { Broker, Published } from '../core/ports/broker.js';
import { type Observer, silentObserver } from '../core/ports/observer.js';
import type { Policy, TopicRules } from '../core/ports/policy.js';
import type { FindHandler } from '../core/inbound/responder.js';
import type { Session } from '../core/inbound/session.js';
import { TestClock } from './test-clock.js';
import { TestSocket } from './test-socket.js';

/** Options of `TestLive`. */
export interface TestLiveOptions {
  /** Name of the server's instance. @default 'test' */
  readonly instanceId?: string;
  /**
   * The rules of a topic. By default every topic is open to everyone, without history or snapshots.
   */
  readonly rulesFor?: (topic: string) => Partial<TopicRules> | undefined;
  /** Limits for peers. @default those of `LiveModule`, without `inboundRate` and `replayRate` */
  readonly limits?: Partial<LiveLimits>;
  /** Receives events for logs and metrics; any member may be missing. */
  readonly observer?: Partial<Observer>;
  /** Wraps the memory broker, for example to delay it. */
  readonly broker?: (memory: MemoryBroker) => Broker;
  /** The clock of the server. @default a new one */
  readonly clock?: TestClock;
  /** Verifies a token and resolves with its user; without it `auth` is not implemented. */
  readonly verify?: (token: string, connection: LiveConnection) => Promise<ConnectionIdentity>;
  /** Handles messages instead of the core's own verbs. @internal */
  readonly handlers?: FindHandler;
}

/** Options of `TestLive.connect`. */
export interface TestPeerOptions {
  /** The user of the connection; `null` for an anonymous one. @default `{ id: 'ann' }` */
  readonly user?: LiveUser | null;
  /** When the credential expires, in milliseconds since 1970. */
  readonly expiresAt?: number;
  /** The socket of the peer. @default one that reads at once */
  readonly socket?: TestSocket;
  /** When the handshake began, on the test's clock. @default now */
  readonly handshakeStartedMs?: number;
}

/** One client of a `TestLive`. */
export interface TestPeer {
  /** The peer's socket, which shows whether and how it was closed. */
  readonly socket: TestSocket;
  /** @internal */
  readonly session: Session;
  /** Sends a message, as an object or as text, and lets all work finish. */
  send(message: object | string): Promise<void>;
  /** Messages received since the last call, without the welcome. */
  received(): unknown[];
}

/**
 * The whole core in memory: a memory broker, a clock that the test moves, and sockets without a
 * network.
 */
export class TestLive {
  /** The server's only source of time. */
  readonly clock: TestClock;
  /** The broker that keeps the publications. */
  readonly broker: MemoryBroker;
  /** @internal */
  readonly live: Live;
  private count = 0;

  constructor(private readonly options: TestLiveOptions = {}) {
    this.clock = options.clock ?? new TestClock();
    this.broker = new MemoryBroker({}, this.clock);
    const { rulesFor = () => ({}), instanceId = 'test' } = options;
    const policy: Policy = { rulesFor: (topic) => filled(rulesFor(topic)) };
    this.live = new Live(
      { instanceId, limits: { ...defaultLimits, ...options.limits } },
      {
        broker: options.broker?.(this.broker) ?? this.broker,
        policy,
        clock: this.clock,
        ...(options.verify && { verify: options.verify }),
        observer: { ...silentObserver, ...options.observer },
      },
    );
  }

  /** Connects a new peer. */
  connect({
    user = { id: 'ann' },
    expiresAt,
    socket = new TestSocket(),
    handshakeStartedMs,
  }: TestPeerOptions = {}): TestPeer {
    const identity = { user, ...(expiresAt !== undefined && { expiresAt }) };
    const id = `connection-${String(++this.count)}`;
    const session = this.live.accept(
      socket,
      { id, identity, remoteAddr: '192.0.2.1', handshakeStartedMs },
      this.options.handlers,
    );
    socket.onGone = (code, reason) => session.finished(code, reason);
    this.clock.flush();
    let read = 1;
    return {
      socket,
      session,
      send: async (message) => {
        session.received(typeof message === 'string' ? message : JSON.stringify(message));
        await this.clock.settle();
      },
      received: () => {
        const { messages } = socket;
        const news = messages.slice(read);
        read = messages.length;
        return news;
      },
    };
  }

  /**
   * Publishes a JSON value and lets all work finish.
   *
   * @returns the position of the publication
   * @throws LiveError as `LiveService.publish`
   */
  async publish(topic: string, data: unknown, key?: string): Promise<Published> {
    const published = await this.live.publish(topic, data, key === undefined ? {} : { key });
    await this.clock.settle();
    return published;
  }

  /** Current statistics of the server. */
  stats(): LiveStats {
    return this.live.stats();
  }
}

function filled(rules: Partial<TopicRules> | undefined): TopicRules | undefined {
  return rules && { canSubscribe: () => true, canPublish: () => true, ...rules };
}
