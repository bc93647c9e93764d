import type { LiveUser } from '../../src/core/ports/identity.js';
import { TestClock } from '../../src/testing/test-clock.js';
import { TestLive, type TestLiveOptions, type TestPeer } from '../../src/testing/test-live.js';
import { type BusEnd, SignalBus } from './signal-bus.js';

/** One instance of a cluster in this process. */
export interface TestInstance {
  readonly id: string;
  readonly test: TestLive;
  readonly end: BusEnd;
  /** A peer of this user that is subscribed to the topics. */
  reader(user: string | LiveUser, ...topics: string[]): Promise<TestPeer>;
}

/** Instances on one bus and one clock. */
export class TestCluster {
  readonly clock: TestClock;
  readonly bus: SignalBus;

  constructor(
    private readonly options: Omit<TestLiveOptions, 'clock' | 'broker' | 'instanceId'> = {},
    { seed = 1, clock = new TestClock() }: { readonly seed?: number; readonly clock?: TestClock } = {},
  ) {
    this.clock = clock;
    this.bus = new SignalBus(this.clock, seed);
  }

  add(id: string): TestInstance {
    let end: BusEnd | undefined;
    const test = new TestLive({
      ...this.options,
      // Peers here never pong.
      limits: { pingIntervalMs: 1e9, ...this.options.limits },
      instanceId: id,
      clock: this.clock,
      broker: (memory) => {
        const joined = this.bus.join(memory);
        end = joined.end;
        return joined.broker;
      },
    });
    if (end === undefined) throw new Error('The instance has no broker');
    return {
      id,
      test,
      end,
      reader: async (user, ...topics) => {
        const peer = test.connect({ user: typeof user === 'string' ? { id: user } : user });
        for (const topic of topics) await peer.send({ type: 'subscribe', topic });
        peer.received();
        return peer;
      },
    };
  }

  /** Instances that know each other. */
  async start(...ids: string[]): Promise<TestInstance[]> {
    const instances = ids.map((id) => this.add(id));
    await this.pass(1_000);
    return instances;
  }

  /** Lets time pass, in steps, with everything that follows from it. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed));
      await settle(this.clock);
    }
  }

  /** What a promise comes to while time passes. */
  async during<T>(work: Promise<T>, ms: number): Promise<T> {
    const passing = this.pass(ms);
    const result = await work;
    await passing;
    return result;
  }

  /** As `kill -9` does: not one more word. */
  kill({ end, test }: TestInstance): void {
    end.connected = false;
    void test.live.close();
  }
}

/** Two turns are enough for what no timer is between; `TestClock.settle` takes ten. */
async function settle(clock: TestClock): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    clock.flush();
  }
}
