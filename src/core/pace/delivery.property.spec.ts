import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryChecker } from '../../testing/sim/delivery-checker.js';
import type { Fault } from '../../testing/sim/faults.js';
import { TestLive, type TestPeer } from '../../testing/test-live.js';
import { TestSocket } from '../../testing/test-socket.js';
import type { TopicRules } from '../ports/policy.js';

const history = { size: 1_000, ttlMs: 1_000_000, maxBytes: 1_000_000 };

/** Every delivery option of a topic, and some combinations. */
const topics: Readonly<Record<string, Partial<TopicRules>>> = {
  plain: { history },
  conflate: { history, delivery: { slow: 'conflate' } },
  skip: { history, latest: 'last-per-key', delivery: { slow: 'skip' } },
  'skip-bare': { delivery: { slow: 'skip' } },
  rate: { history, delivery: { maxRate: 5 } },
  'rate-conflate': { latest: 'last-per-key', delivery: { maxRate: 20, slow: 'conflate' } },
  window: { history, delivery: { flushMs: 20 } },
  'window-conflate': { history, delivery: { flushMs: 20, slow: 'conflate' } },
  all: { history, delivery: { flushMs: 50, maxRate: 10, slow: 'skip' } },
};
const names = Object.keys(topics);
/** `new` stands for a key that was never used before. */
const keys = ['a', 'b', 'c', 'new', 'new', undefined] as const;
/**
 * For one connection, and for each rate of a topic. Peers and the topic request up to three rates.
 */
const maxWaitingBytes = 1_500;

interface Publication {
  readonly key: string | undefined;
  readonly data: string;
}

interface Message {
  readonly type: string;
  readonly topic: string;
  readonly offset: number;
  readonly from?: number;
  readonly data?: unknown;
  readonly key?: string;
  readonly snapshot?: Readonly<Record<string, string>>;
}

/** What a peer knows, assembled as an application would from the messages. */
class Reader {
  readonly socket = new TestSocket(true);
  readonly faults: Fault[] = [];
  readonly checker: DeliveryChecker;
  /** Newest value of each key since the start, by topic. */
  readonly known = new Map<string, Map<string | undefined, string>>();
  readonly peer: TestPeer;

  constructor(
    test: TestLive,
    private readonly published: ReadonlyMap<string, Publication[]>,
  ) {
    this.peer = test.connect({ socket: this.socket });
    this.checker = new DeliveryChecker((rule, text) => this.faults.push({ rule, text }));
  }

  read(): void {
    for (const message of this.peer.received() as Message[]) {
      this.checker.take(message as never);
      const { type, topic, snapshot, key, data } = message;
      if (type === 'subscribed') this.known.set(topic, new Map(Object.entries(snapshot ?? {})));
      // After a loss an application knows nothing for certain before the next value of each key.
      if (type === 'lost') this.known.set(topic, new Map());
      if (type !== 'event') continue;
      this.known.get(topic)?.set(key, data as string);
      this.check(message);
    }
  }

  /** Every publication that an event covers was replaced by a newer one of the same key. */
  private check({ topic, offset, from = offset, data, key }: Message): void {
    const all = this.published.get(topic) ?? [];
    expect(all[offset - 1]).toEqual({ key, data });
    for (let each = from; each < offset; each++) {
      const replaced = all.slice(each).some((later) => later.key === all[each - 1]?.key);
      expect(replaced, `${topic} ${String(each)} of ${String(from)} to ${String(offset)}`).toBe(true);
    }
  }
}

const peer = fc.nat(2);
/** Two topics at a time, so that they interact. */
const topic = fc.nat(1);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ publish: topic, key: fc.constantFrom(...keys), many: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ subscribe: topic, peer, maxRate: fc.constantFrom(undefined, 2, 50) }) },
  { weight: 1, arbitrary: fc.record({ unsubscribe: topic, peer }) },
  { weight: 4, arbitrary: fc.record({ drain: peer }) },
  { weight: 3, arbitrary: fc.record({ ms: fc.constantFrom(0, 10, 60, 500, 3_000) }) },
);

const inUse = fc.shuffledSubarray(names, { minLength: 1, maxLength: 2 });

describe('Delivery', () => {
  it('[L-4.7] [L-4.8] [L-4.9] [L-9.8] every subscriber gets each publication, its replacement, or a loss notice', async () => {
    await fc.assert(
      fc.asyncProperty(inUse, fc.array(step, { maxLength: 60 }), async (used, steps) => {
        const nameAt = (place: number): string => used[place] ?? used[0] ?? '';
        const published = new Map<string, Publication[]>(names.map((name) => [name, []]));
        const limits = {
          backPressureThresholdBytes: maxWaitingBytes,
          maxQueueAgeMs: 2_000,
          pingIntervalMs: 1_000_000,
        };
        const test = new TestLive({ rulesFor: (name) => topics[name], limits });
        const readers = [0, 1, 2].map(() => new Reader(test, published));
        for (const each of steps) {
          const reader = 'peer' in each ? readers[each.peer] : undefined;
          if ('publish' in each) {
            for (let i = 0; i <= each.many; i++) {
              const name = nameAt(each.publish);
              const all = published.get(name) ?? [];
              const data = `${name} ${String(all.length + 1)} ${'x'.repeat(50)}`;
              const key = each.key === 'new' ? `new-${String(all.length)}` : each.key;
              all.push({ key, data });
              void test.live.publish(name, data, key === undefined ? {} : { key });
            }
          } else if ('subscribe' in each) {
            const { maxRate } = each;
            const subscribe = nameAt(each.subscribe);
            const since = reader?.checker.subscribed.get(subscribe);
            await reader?.peer.send({
              type: 'subscribe',
              topic: subscribe,
              ...(since && { since }),
              ...(maxRate !== undefined && { maxRate }),
            });
          } else if ('unsubscribe' in each)
            await reader?.peer.send({ type: 'unsubscribe', topic: nameAt(each.unsubscribe) });
          else if ('drain' in each) readers[each.drain]?.socket.drain();
          else test.clock.advance(each.ms);
          await test.clock.settle();
          for (const one of readers) one.read();
          const queued = readers.reduce(
            (sum, one) => sum + one.peer.session.connection.outbox.queuedBytes,
            0,
          );
          // Three rates per topic. A window gathers up to 64 KiB on top.
          const most = used.some((name) => topics[name]?.delivery?.flushMs !== undefined)
            ? 150_000
            : used.length * 3 * maxWaitingBytes;
          expect(test.live.stats().queuedBytes - queued).toBeLessThanOrEqual(most);
        }
        // Every peer reads again, and nothing more is published.
        for (let i = 0; i < 60; i++) {
          for (const { socket } of readers) socket.drain();
          test.clock.advance(500);
          await test.clock.settle();
        }
        for (const reader of readers) {
          reader.read();
          expect(reader.faults).toEqual([]);
          if (!reader.socket.open) continue;
          for (const [name, { offset }] of reader.checker.subscribed) {
            const all = published.get(name) ?? [];
            expect([name, offset]).toEqual([name, all.length]);
            for (const [key, data] of reader.known.get(name) ?? [])
              expect(data).toBe(all.findLast((one) => one.key === key)?.data);
          }
          expect(reader.peer.session.connection.outbox.queuedBytes).toBe(0);
        }
        for (const {
          peer: { session },
        } of readers)
          session.connection.terminate(1006, '');
        expect(test.live.stats()).toMatchObject({
          connections: 0,
          subscriptions: 0,
          topics: 0,
          queuedBytes: 0,
        });
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});
