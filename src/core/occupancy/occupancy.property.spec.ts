import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestCluster, type TestInstance } from '../../../test/support/test-cluster.js';
import { thorough } from '../../../test/support/thorough.js';
import type { TestPeer } from '../../testing/test-live.js';

const topics = ['fleet/1', 'fleet/2', 'fleet/3'] as const;
const graceMs = 1_000;
/** Longer than the timeout of an instance, the grace, and all delays of signals together. */
const healMs = 12_000;

interface Step {
  readonly kind: 'join' | 'leave' | 'cut' | 'kill' | 'stop' | 'start' | 'pass';
  readonly which: number;
  readonly ms: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('join' as const) },
    { weight: 6, arbitrary: fc.constantFrom('leave' as const, 'cut' as const) },
    { weight: 5, arbitrary: fc.constant('pass' as const) },
    { weight: 2, arbitrary: fc.constantFrom('kill' as const, 'stop' as const, 'start' as const) },
  ),
  which: fc.nat(60),
  ms: fc.constantFrom(10, 100, 500, 3_000, 7_000),
});

interface Reader {
  readonly peer: TestPeer;
  readonly topic: string;
  readonly instance: TestInstance;
  readonly sinceMs: number;
}

/** Instances with subscribers that come and go, and what the providers of the topics heard. */
class World {
  readonly cluster: TestCluster;
  readonly mistakes: string[] = [];
  private readonly occupiedOn = new Map<string, Set<string>>(topics.map((topic) => [topic, new Set()]));
  private instances: TestInstance[] = [];
  private readonly all: TestInstance[] = [];
  private readers: Reader[] = [];
  private count = 0;
  private stopping: string | undefined;

  constructor(seed: number) {
    this.cluster = new TestCluster({ limits: { authorizationRecheckMs: 0 } }, { seed });
  }

  async start(): Promise<void> {
    const id = `i${String(this.count++)}`;
    const rulesFor = (topic: string) => ({
      occupancy: {
        graceMs,
        occupied: () => this.hear(id, topic, 'occupied'),
        vacated: () => this.hear(id, topic, 'vacated'),
      },
    });
    const instance = this.cluster.add(id, { rulesFor });
    this.instances.push(instance);
    this.all.push(instance);
    await this.cluster.pass(1_000);
  }

  private hear(id: string, topic: string, what: 'occupied' | 'vacated'): void {
    // A dead process runs nothing.
    if (!this.instances.some((instance) => instance.id === id)) return;
    const on = this.occupiedOn.get(topic) ?? new Set();
    if (what === 'occupied' && on.size > 0) this.mistakes.push(`${topic} is occupied twice`);
    if (what === 'vacated' && id !== this.stopping && this.hasReader(topic))
      this.mistakes.push(`${topic} is vacated, but has readers`);
    if (what === 'vacated' && !on.has(id)) this.mistakes.push(`${topic} is vacated, but was not occupied`);
    if (what === 'occupied') on.add(id);
    else on.delete(id);
  }

  /** Whether somebody reads the topic for so long that all instances must know. */
  private hasReader(name: string): boolean {
    const now = this.cluster.clock.now();
    return this.readers.some(({ topic, sinceMs }) => topic === name && now - sinceMs > graceMs / 2);
  }

  async take({ kind, which, ms }: Step): Promise<void> {
    const instance = this.instances[which % this.instances.length];
    const topic = topics[which % topics.length] ?? topics[0];
    if (kind === 'join') {
      const peer = await instance?.reader('ann', topic);
      if (peer !== undefined && instance !== undefined)
        this.readers.push({ peer, topic, instance, sinceMs: this.cluster.clock.now() });
    } else if (kind === 'leave' || kind === 'cut') await this.leave(kind, which);
    else if (kind === 'pass') await this.cluster.pass(ms);
    else if (kind === 'start') {
      if (this.instances.length < 3) await this.start();
    } else if (this.instances.length > 1 && instance !== undefined) await this.end(instance, kind);
  }

  private async leave(kind: 'leave' | 'cut', which: number): Promise<void> {
    const [reader] = this.readers.splice(which % Math.max(1, this.readers.length), 1);
    if (kind === 'cut') reader?.peer.socket.gone(1006, '');
    else if (reader !== undefined) await reader.peer.send({ type: 'unsubscribe', topic: reader.topic });
  }

  /** A killed instance runs no hook. */
  private async end(instance: TestInstance, kind: 'kill' | 'stop'): Promise<void> {
    this.readers = this.readers.filter((reader) => reader.instance !== instance);
    if (kind === 'stop') {
      this.stopping = instance.id;
      void instance.test.live.drain(1_000);
      await instance.test.live.close();
      this.instances = this.instances.filter((other) => other !== instance);
    } else {
      this.instances = this.instances.filter((other) => other !== instance);
      this.cluster.kill(instance);
      for (const on of this.occupiedOn.values()) on.delete(instance.id);
    }
  }

  async leaveAll(): Promise<void> {
    for (const { peer } of this.readers) peer.socket.gone(1006, '');
    this.readers = [];
    await this.cluster.pass(healMs, 100);
  }

  /** On how many instances each topic is occupied: on one if it is read anywhere. */
  state(): object {
    return Object.fromEntries(topics.map((topic) => [topic, this.occupiedOn.get(topic)?.size]));
  }

  truth(): object {
    const isRead = (topic: string): boolean => this.readers.some((reader) => reader.topic === topic);
    return Object.fromEntries(topics.map((topic) => [topic, Number(isRead(topic))]));
  }

  tables(): string[][] {
    return this.instances.map(({ test }) => test.live.audience.occupancy.table.read());
  }

  async close(): Promise<void> {
    for (const { test } of this.all) {
      void test.live.drain(1_000);
      await test.live.close();
      await test.broker.close();
    }
    await this.cluster.pass(1_100);
  }
}

const runs = Number(process.env['OCCUPANCY_RUNS'] ?? (thorough ? 1_000 : 60));

describe('occupancy, whatever happens', () => {
  it('one instance is told of each occupancy, once when it begins and once when it ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom(1, 40, 120),
        fc.array(step, { minLength: 5, maxLength: 40 }),
        async (seed, delayMs, steps) => {
          const world = new World(seed);
          world.cluster.bus.weather = { loss: 0, twice: 0.2, delayMs };
          await world.start();
          await world.start();
          for (const each of steps) await world.take(each);
          await world.cluster.pass(healMs, 100);
          expect([world.mistakes, world.state()]).toEqual([[], world.truth()]);
          const read = Object.entries(world.truth()).filter(([, count]) => count > 0);
          for (const table of world.tables()) expect(table).toEqual(read.map(([topic]) => topic));
          await world.leaveAll();
          expect([world.mistakes, world.state()]).toEqual([[], world.truth()]);
          await world.close();
          expect(world.cluster.clock.timerCount).toBe(0);
        },
      ),
      { numRuns: runs },
    );
  }, 600_000);
});
