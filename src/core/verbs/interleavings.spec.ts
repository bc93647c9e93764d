import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestLive, type TestPeer } from '../../testing/test-live.js';
import type { MemoryBroker } from '../../brokers/memory/memory-broker.js';
import type { Broker } from '../ports/broker.js';

type Message = Readonly<Record<string, unknown>>;

const topics = ['a', 'b'];
const history = { size: 6, ttlMs: 60_000, maxBytes: 1_000_000 };

/** Holds every asynchronous operation until the schedule releases it. */
class Schedule {
  private readonly waiting: (() => void)[] = [];

  later<T>(work: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.waiting.push(() => void Promise.resolve().then(work).then(resolve, reject));
    });
  }

  /** Releases the operation at this index, modulo their number. */
  let(place: number): void {
    const [work] = this.waiting.splice(place % Math.max(1, this.waiting.length), 1);
    work?.();
  }

  get size(): number {
    return this.waiting.length;
  }
}

function delayed(memory: MemoryBroker, schedule: Schedule): Broker {
  return {
    available: true,
    start: (sink) => memory.start(sink),
    tops: (given) => memory.tops(given),
    signal: (text) => memory.signal(text),
    publish: (...args) => memory.publish(...args),
    subscribe: (topic) => schedule.later(() => memory.subscribe(topic)),
    // Commands of one topic reach a broker in the order they were given.
    unsubscribe: (topic) => memory.unsubscribe(topic),
    read: (...args) => schedule.later(() => memory.read(...args)),
    latest: (...args) => schedule.later(() => memory.latest(...args)),
    close: () => memory.close(),
  };
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('let' as const), place: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('publish' as const), topic: fc.constantFrom(...topics) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('subscribe' as const, 'resume' as const, 'unsubscribe' as const),
      peer: fc.nat(2),
      topic: fc.constantFrom(...topics),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), peer: fc.nat(2) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Reads a peer's transcript of one topic like a client, and returns what is wrong with it. */
function faults(transcript: readonly Message[], topic: string, top: number): string[] {
  const wrong: string[] = [];
  let at: number | undefined;
  for (const message of transcript.filter((each) => each['topic'] === topic)) {
    const offset = message['offset'] as number;
    if (message['type'] === 'subscribed') {
      const seen = (message['snapshot'] as { seen: number } | undefined)?.seen;
      if (seen !== undefined && seen < offset)
        wrong.push(`a snapshot of ${String(seen)} was called ${String(offset)}`);
      at = offset;
    } else if (message['type'] === 'event') {
      if (at === undefined) wrong.push(`event ${String(offset)} while not subscribed`);
      else if (offset !== at + 1) wrong.push(`event ${String(offset)} after ${String(at)}`);
      at = offset;
    } else {
      at = undefined;
    }
  }
  if (at !== undefined && at !== top) wrong.push(`ended at ${String(at)}, the topic at ${String(top)}`);
  return wrong;
}

async function run(steps: readonly Step[], withSnapshot: boolean): Promise<void> {
  const schedule = new Schedule();
  const tops = new Map(topics.map((topic) => [topic, 0]));
  const test = new TestLive({
    broker: (memory) => delayed(memory, schedule),
    rulesFor: (topic) => ({
      history,
      canSubscribe: () => schedule.later(() => true),
      ...(withSnapshot && { snapshot: () => schedule.later(() => ({ seen: tops.get(topic) })) }),
    }),
  });
  const timers = test.clock.timerCount;
  const transcripts: { peer: TestPeer; messages: () => Message[]; gone: boolean }[] = [];
  const enter = () => {
    const peer = test.connect();
    return { peer, messages: () => peer.socket.messages as Message[], gone: false };
  };
  const present = [0, 1, 2].map(enter);
  transcripts.push(...present);
  let epochs = new Map<string, string>();
  const turn = async (): Promise<void> => {
    for (let i = 0; i < 12; i++) await Promise.resolve();
  };
  for (const each of steps) {
    if (each.do === 'let') schedule.let(each.place);
    else if (each.do === 'flush') test.clock.flush();
    else if (each.do === 'publish') {
      const { epoch, offset } = await test.live.publish(each.topic, 'x');
      tops.set(each.topic, offset);
      epochs = epochs.set(each.topic, epoch);
    } else {
      const client = present[each.peer];
      if (client === undefined) continue;
      if (each.do === 'leave') {
        client.peer.socket.gone(1006, '');
        client.gone = true;
        transcripts.push((present[each.peer] = enter()));
      } else {
        const type = each.do === 'unsubscribe' ? 'unsubscribe' : 'subscribe';
        const offset = Math.max(0, (tops.get(each.topic) ?? 0) - 3);
        const since = each.do === 'resume' && { since: { epoch: epochs.get(each.topic) ?? 'none', offset } };
        client.peer.session.received(JSON.stringify({ type, topic: each.topic, ...since }));
      }
    }
    await turn();
  }
  for (let rounds = 0; schedule.size > 0 && rounds < 5_000; rounds++) {
    schedule.let(0);
    await turn();
  }
  await test.clock.settle();
  for (const { messages, gone } of transcripts) {
    if (gone) continue;
    for (const topic of topics) expect(faults(messages(), topic, tops.get(topic) ?? 0)).toEqual([]);
  }
  for (const { peer } of present) peer.socket.gone(1006, '');
  for (; schedule.size > 0; await turn()) schedule.let(0);
  expect(test.live.stats()).toMatchObject({
    connections: 0,
    users: 0,
    topics: 0,
    subscriptions: 0,
    queuedBytes: 0,
  });
  expect(test.clock.timerCount).toBe(timers);
}

describe('Subscribe, in any order of events', () => {
  it.each([
    ['with a snapshot', true],
    ['without a snapshot', false],
  ])(
    '[L-3.10] random subscribe schedules %s leave no gap, duplicate, reordering or leak',
    async (_how, withSnapshot) => {
      const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 80 }), (steps) => run(steps, withSnapshot)),
        { seed, numRuns: 500 },
      );
    },
    60_000,
  );
});
