import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestCluster, type TestInstance } from '../../../test/support/test-cluster.js';
import type { PresenceMember } from './member.js';
import type { TestPeer } from '../../testing/test-live.js';

const topics = ['room/1', 'room/2'] as const;
const users = ['ann', 'bob', 'cid'] as const;

interface Step {
  readonly kind: 'come' | 'leave' | 'cut' | 'blind' | 'kill' | 'bye' | 'start' | 'pass' | 'away';
  readonly instance: number;
  readonly which: number;
  readonly ms: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('come' as const) },
    { weight: 6, arbitrary: fc.constantFrom('leave' as const, 'cut' as const) },
    { weight: 4, arbitrary: fc.constant('pass' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('blind' as const, 'kill' as const, 'bye' as const, 'away' as const),
    },
    { weight: 1, arbitrary: fc.constant('start' as const) },
  ),
  instance: fc.nat(3),
  which: fc.nat(60),
  ms: fc.constantFrom(20, 200, 1_000, 4_000),
});

/** A client of `<topic>/presence`, with the member list built from the snapshot and events. */
class Watcher {
  private readonly list = new Map<string, object>();

  constructor(
    readonly instance: TestInstance,
    readonly topic: string,
    private readonly peer: TestPeer,
  ) {}

  static async at(instance: TestInstance, topic: string): Promise<Watcher> {
    const peer = instance.test.connect({ user: null });
    await peer.send({ type: 'subscribe', topic: `${topic}/presence` });
    return new Watcher(instance, topic, peer);
  }

  /** Throws for an event that contradicts the list. */
  read(): object[] {
    for (const message of this.peer.received() as Record<string, unknown>[]) {
      if (message['type'] === 'subscribed') {
        this.list.clear();
        for (const member of message['snapshot'] as { id: string }[]) this.list.set(member.id, member);
        continue;
      }
      const { event, member } = message['data'] as { event: string; member: { id: string } };
      if (this.list.has(member.id) === (event === 'join')) throw new Error(`${event} of ${member.id}`);
      if (event === 'leave') this.list.delete(member.id);
      else this.list.set(member.id, member);
    }
    return [...this.list.values()].toSorted((one, other) =>
      (one as { id: string }).id < (other as { id: string }).id ? -1 : 1,
    );
  }

  get truth(): object[] {
    return shown(this.instance.test.live.audience.presence.members(this.topic));
  }
}

const shown = (members: readonly PresenceMember[]): object[] =>
  members.map(({ connections: _not, ...rest }) => rest);

class World {
  readonly cluster: TestCluster;
  readonly watchers: Watcher[] = [];
  private instances: TestInstance[] = [];
  private readonly all: TestInstance[] = [];
  private readers: { peer: TestPeer; topic: string; user: string; instance: TestInstance }[] = [];
  private count = 0;

  constructor(seed: number) {
    this.cluster = new TestCluster(
      {
        rulesFor: () => ({ presence: { graceMs: 1_000, fields: ({ tab }) => ({ tab }) } }),
        limits: { authorizationRecheckMs: 0 },
      },
      { seed },
    );
  }

  async start(): Promise<void> {
    const instance = this.cluster.add(`i${String(this.count++)}`);
    this.instances.push(instance);
    this.all.push(instance);
    for (const topic of topics) this.watchers.push(await Watcher.at(instance, topic));
  }

  async take({ kind, instance: index, which, ms }: Step): Promise<void> {
    const instance = this.instances[index % this.instances.length];
    if (kind === 'start' || instance === undefined) {
      if (this.instances.length < 4) await this.start();
    } else if (kind === 'come') await this.come(instance, which);
    else if (kind === 'leave' || kind === 'cut') await this.go(kind, which);
    else if (kind === 'blind') instance.end.connected = !instance.end.connected;
    else if (kind === 'away') {
      instance.end.setAvailable(false);
      await this.cluster.pass(ms);
      instance.end.setAvailable(true);
    } else if (kind === 'pass') await this.cluster.pass(ms);
    else if (this.instances.length > 1) await this.end(instance, kind);
  }

  /** Lets all instances hear each other again, with enough time. */
  async heal(): Promise<void> {
    this.cluster.bus.weather = { loss: 0, twice: 0, delayMs: 5 };
    for (const { end } of this.instances) end.connected = true;
    await this.cluster.pass(15_000, 100);
  }

  check(): void {
    for (const topic of topics) {
      const expected = this.truthOf(topic);
      for (const { test, id } of this.instances) {
        const connections = test.live.audience.presence
          .members(topic)
          .map((member) => [member.id, member.connections]);
        expect([id, connections]).toEqual([id, expected]);
      }
      const lists = this.instances.map(({ test }) =>
        JSON.stringify(shown(test.live.audience.presence.members(topic))),
      );
      expect(new Set(lists).size).toBe(1);
    }
  }

  checkWatchers(): void {
    for (const watcher of this.watchers) expect(watcher.read()).toEqual(watcher.truth);
  }

  leaveAll(): void {
    for (const { peer } of this.readers) peer.socket.gone(1006, '');
    this.readers = [];
  }

  sizes(): number[] {
    return this.instances.map(({ test }) => test.live.audience.presence.size);
  }

  async close(): Promise<void> {
    for (const { test } of this.all) {
      void test.live.drain(1_000);
      await test.live.close();
      await test.broker.close();
    }
    await this.cluster.pass(1_100);
  }

  private truthOf(topic: string): [string, number][] {
    const here = this.readers.filter((reader) => reader.topic === topic);
    return users
      .map((user): [string, number] => [user, here.filter((reader) => reader.user === user).length])
      .filter(([, connections]) => connections > 0);
  }

  private async come(instance: TestInstance, which: number): Promise<void> {
    const user = users[which % users.length] ?? 'ann';
    const topic = topics[which % topics.length] ?? 'room/1';
    const peer = instance.test.connect({ user: { id: user, tab: which % 4 } });
    await peer.send({ type: 'subscribe', topic });
    this.readers.push({ peer, topic, user, instance });
  }

  private async go(kind: 'leave' | 'cut', which: number): Promise<void> {
    const [reader] = this.readers.splice(which % Math.max(1, this.readers.length), 1);
    if (kind === 'cut') reader?.peer.socket.gone(1006, '');
    else if (reader !== undefined) await reader.peer.send({ type: 'unsubscribe', topic: reader.topic });
  }

  private async end(instance: TestInstance, kind: 'kill' | 'bye'): Promise<void> {
    if (kind === 'kill') this.cluster.kill(instance);
    else {
      void instance.test.live.drain(1_000);
      await instance.test.live.close();
    }
    this.instances = this.instances.filter((other) => other !== instance);
    this.readers = this.readers.filter((reader) => reader.instance !== instance);
    for (const watcher of this.watchers.filter((each) => each.instance === instance))
      this.watchers.splice(this.watchers.indexOf(watcher), 1);
  }
}

const weather = fc.record({
  loss: fc.constantFrom(0, 0.1, 0.4),
  twice: fc.constantFrom(0, 0.3),
  delayMs: fc.constantFrom(1, 100, 1_500),
});

describe('presence, whatever happens', () => {
  it('[L-11.4] after churn and healing presence is equal on all instances, and clients saw it change accordingly', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        weather,
        fc.array(step, { minLength: 5, maxLength: 40 }),
        async (seed, bad, steps) => {
          const world = new World(seed);
          await world.start();
          await world.start();
          world.cluster.bus.weather = bad;
          for (const each of steps) {
            await world.take(each);
            world.checkWatchers();
          }
          await world.heal();
          world.check();
          world.checkWatchers();
          world.leaveAll();
          await world.cluster.pass(3_000, 100);
          expect(world.sizes().every((size) => size === 0)).toBe(true);
          await world.close();
          expect(world.cluster.clock.timerCount).toBe(0);
        },
      ),
      { numRuns: Number(process.env['PRESENCE_RUNS'] ?? 25) },
    );
  });
});
