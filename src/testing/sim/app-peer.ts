import { LiveClient } from '../../client/live-client.js';
import type { Platform } from '../../client/platform.js';
import type { WebSocketConstructor } from '../../client/wire.js';
import type { Subscription } from '../../client/subscription.js';
import { LiveClientError } from '../../client/live-client.error.js';
import { CloseCode } from '../../protocol/codes.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Position } from '../../protocol/position.js';
import { isSaidBy } from './delivery-checker.js';
import { CollectionChecker } from './collection-checker.js';
import { AppChecker } from './app-checker.js';
import { HandoverChecker, waitMs } from './handover-checker.js';
import { OnceChecker } from './once-checker.js';
import type { Participant, Surroundings } from './participant.js';
import { simWebSocket } from './sim-web-socket.js';
import type { ClientEnd, SimLink } from './sim-link.js';
import type { Grant } from './step.js';

interface Reading {
  readonly checker: AppChecker;
  readonly subscription: Subscription;
  readonly collected: CollectionChecker | undefined;
}

/** An application that uses the client. It reconnects by itself and must lose nothing silently. */
export class AppPeer implements Participant {
  link: SimLink | undefined;
  private client: LiveClient | undefined;
  private grant: Grant = { rights: 2 ** 31 - 1 };
  private readings: Reading[] = [];
  private readonly positions = new Map<string, Position>();
  /** How late a publication of each topic arrived at most. */
  private readonly lateMs = new Map<string, number>();
  private readonly onlineListeners = new Set<() => void>();
  private connections = 0;
  private readonly once = new OnceChecker((text) => this.world.tell('application', `${this.name} ${text}`));
  private readonly handovers = new HandoverChecker(
    () => this.world.timeline.nowMs,
    (topic) => this.reads(topic),
    (text) => this.world.tell('application', `${this.name} ${text}`),
  );

  constructor(
    private readonly name: string,
    readonly userId: string,
    private readonly world: Surroundings,
    /** Replaces its connections by those that tabs share. */
    private readonly share?: (own: WebSocketConstructor, platform: Platform) => WebSocketConstructor,
  ) {}

  reads(topic: string): boolean {
    return this.readings.some(({ checker }) => checker.topic === topic);
  }

  connect(grant: Grant): void {
    this.grant = grant;
    this.open();
  }

  subscribe(topic: string, since: Position | undefined): void {
    const { publications, tell } = this.world;
    const checker = new AppChecker(topic, since, publications, tell);
    const subscription = this.open().subscribe(
      topic,
      (message) => {
        this.world.note(`${this.name} sees ${JSON.stringify(message)}`);
        checker.take(message);
        if (checker.at !== undefined) this.positions.set(topic, checker.at);
        if (message.type === 'event') this.arrived(topic, message.position);
      },
      { since },
    );
    this.readings.push({ checker, subscription, collected: this.collect(topic) });
  }

  unsubscribe(topic: string): void {
    const reading = this.readings.find(({ checker }) => checker.topic === topic);
    if (reading === undefined) return;
    this.readings = this.readings.filter((each) => each !== reading);
    if (!this.reads(topic)) this.handovers.release(topic);
    reading.subscription.unsubscribe();
    reading.collected?.close();
    // No further message may be delivered.
    reading.checker.over = true;
  }

  publish(topic: string, data: unknown, key: string | undefined): void {
    const removed = data === undefined && key !== undefined ? true : undefined;
    const client = this.open();
    const publishing = removed
      ? client.publish(topic, undefined, { key: String(key), remove: true })
      : client.publish(topic, data, key === undefined ? {} : { key });
    const answered = this.once.made(topic, data);
    publishing.then(
      ({ epoch, offset }) => {
        answered({ epoch, offset });
        const found = this.world.publications.find(topic, epoch, offset);
        if (!isSaidBy(found, { data, key, removed }))
          this.world.tell('application', `${topic} ${String(offset)} is not what was published`);
      },
      (error: unknown) => this.check(error),
    );
  }

  renew(grant: Grant): void {
    this.grant = grant;
  }

  odd(): void {}

  online(): void {
    for (const listener of this.onlineListeners) listener();
  }

  leave(): void {
    this.client?.close();
    this.client = undefined;
    this.readings = [];
  }

  position(topic: string): Position | undefined {
    return this.positions.get(topic);
  }

  checkAtRest(): void {
    const { client, world } = this;
    this.once.checkAtRest(world.publications);
    if (client === undefined) return;
    const { status } = client;
    const sentAway = status.state === 'closed' && status.code === CloseCode.disconnected;
    if (status.state !== 'open' && !sentAway)
      world.tell('behind', `${this.name} did not reconnect: ${JSON.stringify(status)}`);
    if (this.handovers.openCount > 1) world.tell('leftover', `${this.name} keeps two connections`);
    for (const { checker, collected } of this.readings) {
      const top = world.publications.top(checker.topic);
      collected?.checkAtRest(top);
      const there = checker.at?.epoch === top?.epoch && checker.at?.offset === top?.offset;
      if (!checker.over && !there)
        world.tell('behind', `${this.name} stands at ${JSON.stringify(checker.at)} of ${checker.topic}`);
    }
  }

  private arrived(topic: string, { epoch, offset }: Position): void {
    const { publications, timeline } = this.world;
    const { atMs = 0 } = publications.find(topic, epoch, offset) ?? {};
    this.lateMs.set(topic, Math.max(this.lateMs.get(topic) ?? 0, timeline.nowMs - atMs));
  }

  private collect(name: string): CollectionChecker | undefined {
    const { publications, tell, timeline, note } = this.world;
    const { collected = false, delivery, maxKeyAgeMs } = this.world.topic(name) ?? {};
    const merges = delivery?.slow === 'conflate' || delivery?.maxRate !== undefined;
    const world = {
      publications,
      tell,
      note,
      after: (ms: number, run: () => void) => timeline.in(ms, run),
      now: () => timeline.nowMs,
      lateMs: () => timeline.stalledMs + (this.lateMs.get(name) ?? 0),
    };
    return collected ? new CollectionChecker(this.open(), { name, merges, maxKeyAgeMs }, world) : undefined;
  }

  private open(): LiveClient {
    if (this.client !== undefined && this.client.state !== 'closed') return this.client;
    this.readings = [];
    const platform = this.platform();
    const own = simWebSocket((token, end) => {
      const name = `${this.name}.${String(++this.connections)}`;
      const dial = (watched: ClientEnd): SimLink => (this.link = this.world.dial(name, token, watched));
      // A connection that tabs share also has the topics of others.
      return this.share === undefined ? this.handovers.watch(end, dial) : dial(end);
    });
    const client = new LiveClient('ws://sim/live', {
      credential: async () => this.world.issue(this.userId, this.grant),
      webSocket: this.share?.(own, platform) ?? own,
      backoff: { minMs: 20, maxMs: 300 },
      connectTimeoutMs: 1_000,
      requestTimeoutMs: waitMs,
      platform,
    });
    client.on('error', (error) => this.check(error));
    this.client = client;
    return client;
  }

  private check(error: unknown): void {
    if (error instanceof LiveError || error instanceof LiveClientError) return;
    this.world.tell('failure', `${this.name}: ${String(error)}`);
  }

  private platform(): Platform {
    const { clock } = this.world.timeline;
    return {
      now: () => clock.now(),
      wallMs: () => clock.wallMs(),
      setTimer: (run, delayMs) => clock.after(delayMs, run),
      random: () => this.world.random(),
      listen: ({ back }) => {
        this.onlineListeners.add(back);
        return () => this.onlineListeners.delete(back);
      },
    };
  }
}
