import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deliveryFaults } from '../../testing/index.js';
import { LossyBroker } from '../../../test/support/lossy-broker.js';
import { TestLive } from '../../testing/test-live.js';
import { subscribedText } from '../frame/message-text.js';
import type { TopicRules } from '../ports/policy.js';

const history = { size: 1_000, ttlMs: 1_000_000, maxBytes: 10_000_000 };

/** The ways a publication reaches a subscriber. */
const topics: Readonly<Record<string, Partial<TopicRules>>> = {
  plain: { history },
  conflate: { history, delivery: { slow: 'conflate' } },
  rate: { history, delivery: { maxRate: 5 } },
  window: { history, delivery: { flushMs: 20 } },
  'conflate-window': { history, delivery: { slow: 'conflate', flushMs: 20 } },
};
const names = Object.keys(topics);
const sizes = [10, 900, 1_200, 3_000] as const;
const small = 1_024;

type Message = Readonly<Record<string, unknown>>;

const bytesOf = (message: unknown): number => Buffer.byteLength(JSON.stringify(message));

describe('9. A client that takes no large messages', () => {
  it('[L-9.20] a client with a message limit gets lost instead of larger messages, and everything else in order', async () => {
    const steps = fc.array(
      fc.record({
        topic: fc.constantFrom(...names),
        size: fc.constantFrom(...sizes),
        waitMs: fc.constantFrom(0, 0, 7, 300),
        comeBack: fc.boolean(),
      }),
      { minLength: 1, maxLength: 25 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const test = new TestLive({ rulesFor: (topic) => topics[topic] });
        const [limited, other] = [test.connect(), test.connect()];
        const subscribe = { type: 'subscribe', maxMessageBytes: small };
        for (const topic of names) {
          await other.send({ type: 'subscribe', topic });
          await limited.send({ ...subscribe, topic });
        }
        const [got, whole] = [limited.received() as Message[], other.received() as Message[]];
        const read = (): void => {
          got.push(...(limited.received() as Message[]));
          whole.push(...(other.received() as Message[]));
        };
        for (const { topic, size, waitMs, comeBack } of all) {
          await test.publish(topic, 'x'.repeat(size), String(size));
          if (waitMs > 0) test.clock.advance(waitMs);
          await test.clock.settle();
          read();
          const at = got.findLast((message) => message['topic'] === topic);
          if (!comeBack || at === undefined) continue;
          const epoch = got.find((message) => message['topic'] === topic)?.['epoch'];
          const since = { epoch, offset: at['to'] ?? at['offset'] };
          await limited.send({ ...subscribe, topic, since });
          read();
        }
        test.clock.advance(5_000);
        await test.clock.settle();
        read();
        expect(deliveryFaults(got)).toEqual([]);
        expect(got.filter((message) => bytesOf(message) > small)).toEqual([]);
        for (const topic of names) {
          const last = (messages: readonly Message[]) =>
            messages.filter((message) => message['topic'] === topic).at(-1);
          const [mine, theirs] = [last(got), last(whole)];
          expect(mine?.['to'] ?? mine?.['offset']).toBe(theirs?.['offset']);
          // Nothing within the limit is lost.
          if (topic !== 'plain') continue;
          const lost = got.filter(({ type, topic: its }) => type === 'lost' && its === topic);
          const large = whole.filter((event) => event['topic'] === topic && bytesOf(event) > small);
          expect(lost.map(({ from, to }) => [from, to])).toEqual(large.map(({ offset }) => [offset, offset]));
        }
      }),
    );
  });

  it('[L-9.20] a subscribe is refused if its snapshot exceeds the limit, and stays unsubscribed', async () => {
    const test = new TestLive({ rulesFor: () => ({ latest: 'last' }) });
    await test.publish('t', 'x'.repeat(2_000));
    const peer = test.connect();
    await peer.send({ type: 'subscribe', id: 1, topic: 't', maxMessageBytes: 2_000 });
    expect(peer.received()).toMatchObject([{ type: 'error', id: 1, code: 'limit-exceeded' }]);
    await test.publish('t', 'small');
    expect(peer.received()).toEqual([]);
    await peer.send({ type: 'subscribe', id: 2, topic: 't', maxMessageBytes: 2_000 });
    expect(peer.received()).toMatchObject([{ type: 'subscribed', id: 2, snapshot: 'small' }]);
  });

  it('[L-9.20] two identical subscribes are both answered or both refused, though one has a longer id', async () => {
    let allow = (): void => {};
    const test = new TestLive({
      rulesFor: () => ({
        latest: 'last',
        canSubscribe: () => new Promise((resolve) => (allow = () => resolve(true))),
      }),
    });
    await test.publish('t', 'x'.repeat(2_000));
    const fits = subscribedText({
      id: 7,
      topic: 't',
      position: { epoch: (await test.broker.tops(['t'])).get('t')?.epoch ?? '', offset: 1 },
      recovered: false,
      snapshot: JSON.stringify('x'.repeat(2_000)),
    });
    const peer = test.connect();
    for (const id of [7, 1_234_567])
      await peer.send({ type: 'subscribe', id, topic: 't', maxMessageBytes: Buffer.byteLength(fits) });
    allow();
    await test.clock.settle();
    expect(peer.received()).toMatchObject([7, 1_234_567].map((id) => ({ id, code: 'limit-exceeded' })));
  });

  it('[L-9.20] a connection is closed if a fresh start has a larger snapshot, and learns of it on its return', async () => {
    const state = { is: 'small' };
    const made: { broker?: LossyBroker } = {};
    const test = new TestLive({
      rulesFor: () => ({ snapshot: () => state.is }),
      broker: (memory) => (made.broker = new LossyBroker(memory)),
    });
    const [peer, other] = [test.connect(), test.connect()];
    await peer.send({ type: 'subscribe', topic: 't', maxMessageBytes: small });
    await other.send({ type: 'subscribe', topic: 't' });
    state.is = 'x'.repeat(2_000);
    await made.broker?.lose('t');
    await test.publish('t', 1);
    await test.clock.settle();
    expect(peer.socket.closedWith?.code).toBe(4003);
    expect(other.received().at(-1)).toMatchObject({ type: 'subscribed', snapshot: state.is });
  });

  it.each([0, 1_023, 1.5, '2000', null])(
    '[L-9.20] the message limit %j is refused: it must be an integer of at least 1024',
    async (bytes) => {
      const test = new TestLive();
      const peer = test.connect();
      await peer.send({ type: 'subscribe', id: 1, topic: 't', maxMessageBytes: bytes });
      expect(peer.received()).toMatchObject([{ type: 'error', id: 1, code: 'protocol-violation' }]);
    },
  );

  it('[L-9.20] a message exactly at the limit is sent, and one byte more is replaced by lost', async () => {
    const test = new TestLive({ rulesFor: () => topics['plain'] });
    const peer = test.connect();
    await peer.send({ type: 'subscribe', topic: 'plain', maxMessageBytes: small });
    peer.received();
    await test.publish('plain', 'x');
    await test.clock.settle();
    const [one] = peer.received();
    const fitting = small - bytesOf(one) + 1;
    for (const size of [fitting, fitting + 1]) await test.publish('plain', 'x'.repeat(size));
    await test.clock.settle();
    const [fits, lost] = peer.received();
    expect([bytesOf(fits), lost]).toEqual([
      small,
      { type: 'lost', topic: 'plain', from: 3, to: 3, count: 1 },
    ]);
  });
});
