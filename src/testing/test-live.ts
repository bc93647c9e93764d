import { MemoryBroker } from '../brokers/memory/memory-broker.js';
import type { Connection } from '../core/connection/connection.js';
import type { LiveUser } from '../core/ports/identity.js';
import { Live } from '../core/live.js';
import { defaultLimits, type LiveLimits } from '../core/ports/limits.js';
import type { VerifyCredential } from '../core/ports/settings.js';
import type { Broker } from '../core/ports/broker.js';
import { type Observer, silentObserver } from '../core/ports/observer.js';
import type { Policy, TopicRules } from '../core/ports/policy.js';
import type { FindHandler } from '../core/inbound/responder.js';
import type { Session } from '../core/inbound/session.js';
import { TestClock } from './test-clock.js';
import { TestSocket } from './test-socket.js';

export interface TestLiveOptions {
  /** @default 'test' */
  readonly instanceId?: string;
  /**
   * The rules of a topic. By default every topic is open to everyone, without history or snapshots.
   */
  readonly rulesFor?: (topic: string) => Partial<TopicRules> | undefined;
  /** @default those of `LiveModule`, without `inboundRate` and `replayRate` */
  readonly limits?: Partial<LiveLimits>;
  readonly observer?: Partial<Observer>;
  /** Wraps the memory broker, for example to delay it. */
  readonly broker?: (memory: MemoryBroker) => Broker;
  readonly clock?: TestClock;
  /** Verifies a token; without it `auth` is not implemented. */
  readonly verify?: VerifyCredential;
  /** Handles messages instead of the core's own verbs. */
  readonly handlers?: (connection: Connection) => FindHandler;
}

export interface TestPeerOptions {
  readonly user?: LiveUser | null;
  /** When the credential expires, in milliseconds since 1970. */
  readonly expiresAt?: number;
  readonly socket?: TestSocket;
  /** When the handshake began, on the test's clock. @default now */
  readonly handshakeStartedMs?: number;
}

/** One client of a `TestLive`. */
export interface TestPeer {
  readonly socket: TestSocket;
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
  readonly clock: TestClock;
  readonly broker: MemoryBroker;
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

  /** Publishes and lets all work finish. */
  async publish(topic: string, data: unknown, key?: string): Promise<void> {
    await this.live.publish(topic, data, key === undefined ? {} : { key });
    await this.clock.settle();
  }
}

function filled(rules: Partial<TopicRules> | undefined): TopicRules | undefined {
  return rules && { canSubscribe: () => true, canPublish: () => true, ...rules };
}
