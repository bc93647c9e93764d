import type { LiveUser } from '../../src/core/ports/identity.js';
import { TestClock } from '../../src/testing/test-clock.js';
import { TestLive, type TestLiveOptions, type TestPeer } from '../../src/testing/test-live.js';
import { type BusEnd, SignalBus } from './signal-bus.js';

/** One instance of a cluster in this process. */
export interface TestInstance {
  readonly id: string;
  readonly test: TestLive;
  readonly end: BusEnd;
  /** A peer of this user, subscribed to the topics. */
  reader(user: string | LiveUser, ...topics: string[]): Promise<TestPeer>;
}

/** Instances that share one bus and one clock. */
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

  /** @param own - options of this instance alone */
  add(id: string, own: Partial<TestLiveOptions> = {}): TestInstance {
    let end: BusEnd | undefined;
    const test = new TestLive({
      ...this.options,
      ...own,
      // Peers in these tests never pong.
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

  /** Starts instances and lets them discover each other. */
  async start(...ids: string[]): Promise<TestInstance[]> {
    const instances = ids.map((id) => this.add(id));
    await this.pass(1_000);
    return instances;
  }

  /** Advances the time in steps and runs everything that follows. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed));
      await settle(this.clock);
    }
  }

  /** Awaits a promise while time passes. */
  async during<T>(work: Promise<T>, ms: number): Promise<T> {
    const passing = this.pass(ms);
    const result = await work;
    await passing;
    return result;
  }

  /** Disconnects an instance like `kill -9`: it sends nothing more. */
  kill({ end, test }: TestInstance): void {
    end.connected = false;
    void test.live.close();
  }
}

/** Two turns suffice between timers. `TestClock.settle` takes ten. */
async function settle(clock: TestClock): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    clock.flush();
  }
}
