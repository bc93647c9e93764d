import { describe, expect, it } from 'vitest';
import { LossyBroker } from '../../../test/support/lossy-broker.js';
import { TestSocket } from '../../testing/test-socket.js';
import { TestLive, type TestLiveOptions } from '../../testing/test-live.js';
import type { TopicRules } from '../ports/policy.js';

const history = { size: 10, ttlMs: 60_000, maxBytes: 1_000_000 };
const event = (offset: number, data: unknown = offset) => ({ type: 'event', topic: 't', offset, data });
const lost = (from: number, to: number) => ({ type: 'lost', topic: 't', from, to, count: to - from + 1 });
const text = expect.any(String) as unknown;
const pushed = (offset: number, more: object = {}) => ({
  type: 'subscribed',
  topic: 't',
  epoch: text,
  offset,
  recovered: false,
  ...more,
});

interface Setup {
  readonly rules?: Partial<TopicRules>;
  readonly more?: TestLiveOptions;
  readonly peers?: number;
}

/** Peers subscribed to `t` at offset 2, and a broker that loses what the test selects. */
async function start({ rules = { history }, more = {}, peers = 2 }: Setup = {}) {
  const made: { broker?: LossyBroker } = {};
  const told: string[] = [];
  const test = new TestLive({
    broker: (memory) => (made.broker = new LossyBroker(memory)),
    rulesFor: () => rules,
    observer: {
      healed: (how) => told.push(how),
      restarted: (how, count) => told.push(`${how} ${String(count)}`),
      failed: (doing) => told.push(`failed: ${doing}`),
    },
    ...more,
  });
  const { broker } = made;
  if (broker === undefined) throw new Error('no broker');
  const publish = async (from: number, to = from): Promise<void> => {
    for (let i = from; i <= to; i++) await test.live.publish('t', i).catch(() => {});
    await test.clock.settle();
  };
  const all = Array.from({ length: peers }, () => test.connect());
  for (const { send } of all) await send({ type: 'subscribe', topic: 't' });
  await publish(1, 2);
  for (const { received } of all) received();
  broker.calls.length = 0;
  const later = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 100) {
      test.clock.advance(100);
      for (const { session } of all) session.heard();
      await test.clock.settle();
    }
  };
  /** Publishes without any delivery. */
  const missing = async (from: number, to = from): Promise<void> => {
    broker.carries = () => false;
    await publish(from, to);
    broker.carries = () => true;
  };
  return { test, broker, told, publish, missing, later, all, received: () => all.map((p) => p.received()) };
}

describe('Continuity, where the history has what is missing', () => {
  it('[L-5.9] a gap found by the next publication is fetched once for all subscribers and delivered in order', async () => {
    const { missing, publish, received, broker, told } = await start();
    await missing(3, 4);
    await publish(5, 6);
    const events = [3, 4, 5, 6].map((offset) => event(offset));
    expect(received()).toEqual([events, events]);
    expect(broker.calls.filter((call) => !call.startsWith('publish'))).toEqual(['read t']);
    expect(told).toEqual(['healed']);
  });

  it('[L-5.9] publications during a repair are held, and duplicates are dropped', async () => {
    const { missing, publish, received, broker, test } = await start({ peers: 1 });
    let answer = (): void => {};
    broker.slow.set('read', new Promise<void>((resolve) => (answer = resolve)));
    await missing(3);
    await publish(4, 6);
    const { epoch } = (await test.broker.read('t', undefined, { count: 0, bytes: 0 })).top;
    for (const offset of [6, 2, 4]) broker.deliver('t', epoch, { offset, data: String(offset) });
    expect(received()).toEqual([[]]);
    answer();
    await test.clock.settle();
    broker.deliver('t', epoch, { offset: 3, data: '3' });
    await publish(7);
    expect(received()).toEqual([[3, 4, 5, 6, 7].map((offset) => event(offset))]);
    expect(test.live.stats()).toMatchObject({ healing: 0, restarting: 0 });
  });

  it('publications that arrive out of order are put in order', async () => {
    const { received, broker, test, told } = await start({ peers: 1, rules: {} });
    const { epoch } = (await test.broker.read('t', undefined, { count: 0, bytes: 0 })).top;
    let answer = (): void => {};
    broker.slow.set('read', new Promise<void>((resolve) => (answer = resolve)));
    broker.carries = () => false;
    for (const data of [3, 4]) await test.live.publish('t', data);
    for (const offset of [4, 3]) broker.deliver('t', epoch, { offset, data: String(offset) });
    answer();
    await test.clock.settle();
    expect([received(), told]).toEqual([[[event(3), event(4)]], ['healed']]);
  });

  it('[L-5.10] missed publications are found at once when the broker suspects a loss, with one call for all topics', async () => {
    const { missing, received, broker, test, all } = await start();
    for (const { send } of all) await send({ type: 'subscribe', topic: 'quiet' });
    received();
    await missing(3);
    broker.calls.length = 0;
    broker.suspect();
    await test.clock.settle();
    expect(received()).toEqual([[event(3)], [event(3)]]);
    expect(broker.calls).toEqual(['tops t,quiet', 'read t']);
  });

  it('missed publications of a topic that the broker names are found', async () => {
    const { missing, received, broker, test } = await start({ peers: 1 });
    await missing(3);
    broker.suspect('t');
    broker.suspect('unknown');
    await test.clock.settle();
    expect(received()).toEqual([[event(3)]]);
    expect(broker.calls).toEqual(['publish t', 'read t']);
  });

  it.each([['its topic', 't'] as const, ['all topics', undefined] as const])(
    '[L-5.10] a suspicion about %s that comes while the topic is read has it read again',
    async (_what, name) => {
      const { missing, received, broker, test } = await start({ peers: 1 });
      await missing(3);
      let arrive = (): void => {};
      const arrival = new Promise<void>((resolve) => (arrive = resolve));
      const read = broker.read.bind(broker);
      broker.read = async (...args) => {
        const reading = await read(...args);
        await arrival;
        return reading;
      };
      broker.suspect('t');
      await test.clock.settle();
      await missing(4);
      broker.suspect(name);
      await test.clock.settle();
      expect(received()).toEqual([[]]);
      arrive();
      await test.clock.settle();
      expect(received()).toEqual([[event(3), event(4)]]);
      expect(test.live.stats().healing).toBe(0);
    },
  );

  it('[L-5.10] unsuspected losses are found by the periodic comparison of positions', async () => {
    const { missing, received, broker, later } = await start({
      peers: 1,
      more: { limits: { positionCheckIntervalMs: 2_000 } },
    });
    await missing(3);
    broker.calls.length = 0;
    await later(1_900);
    expect(received()).toEqual([[]]);
    await later(200);
    expect(received()).toEqual([[event(3)]]);
    await later(2_000);
    expect(broker.calls).toEqual(['tops t', 'read t', 'tops t']);
  });

  it('[L-5.10] a publication that waited through a standstill longer than the history lasts is delivered, not reported lost', async () => {
    const { missing, received, broker, test, later } = await start({
      rules: { history: { ...history, ttlMs: 250 } },
      peers: 1,
      more: { limits: { positionCheckIntervalMs: 2_000 } },
    });
    const { epoch } = (await broker.read('t', undefined, { count: 0, bytes: 0 })).top;
    await missing(3);
    test.clock.stall(2_300);
    await test.clock.settle();
    broker.deliver('t', epoch, { offset: 3, data: '3' });
    await later(2_000);
    expect(received()).toEqual([[event(3)]]);
  });

  it('failed reads are repeated with back-off, and arriving publications are kept', async () => {
    const { missing, publish, received, broker, later, told, test } = await start({ peers: 1 });
    broker.failing.add('read');
    await missing(3);
    await publish(4);
    await later(3_000);
    const reads = broker.calls.filter((call) => call === 'read t').length;
    expect([reads > 3, reads < 9, received()]).toEqual([true, true, [[]]]);
    expect(test.live.stats().healing).toBe(1);
    broker.failing.clear();
    await later(5_000);
    expect(received()).toEqual([[event(3), event(4)]]);
    expect(told.at(-1)).toBe('healed');
  });

  it('[L-5.11] nothing is read while the broker is unavailable, and everything once it is back', async () => {
    const { missing, received, broker, later, test, told } = await start({ peers: 1 });
    const timers = test.clock.timerCount;
    await missing(3);
    broker.goAway();
    broker.suspect();
    await later(2_000);
    const calls = broker.calls.length;
    await later(20_000);
    expect([broker.calls.length, test.clock.timerCount]).toEqual([calls, timers]);
    broker.comeBack();
    await test.clock.settle();
    expect([received(), told.at(-1)]).toEqual([[[event(3)]], 'healed']);
  });

  it('publications that do not fit into the buffer of a repair are dropped, and read from the history', async () => {
    const { missing, publish, received, broker, test } = await start({
      peers: 1,
      rules: { history: { size: 300, ttlMs: 60_000, maxBytes: 1e9 } },
    });
    let answer = (): void => {};
    broker.slow.set('read', new Promise<void>((resolve) => (answer = resolve)));
    await missing(3);
    for (let i = 0; i < 12; i++) await test.live.publish('t', 'x'.repeat(99_000));
    broker.slow.clear();
    answer();
    await test.clock.settle();
    await publish(16);
    const offsets = received()[0]?.map((message) => (message as { offset: number }).offset);
    expect(offsets).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  });

  it('a repair stops when the last subscriber leaves', async () => {
    const { missing, publish, broker, all, later, test } = await start({ peers: 1 });
    const timers = test.clock.timerCount;
    broker.failing.add('read');
    await missing(3);
    await publish(4);
    await all[0]?.send({ type: 'unsubscribe', topic: 't' });
    const reads = broker.calls.length;
    await later(10_000);
    expect([broker.calls.length, test.clock.timerCount]).toEqual([reads, timers]);
    expect(test.live.stats()).toMatchObject({ topics: 0, healing: 0 });
  });
});

describe('Continuity, where the history no longer has what is missing', () => {
  it('[L-5.8] a loss is reported to all subscribers with one frame, and delivery continues after it', async () => {
    const { missing, publish, received, told } = await start({ rules: { history: { ...history, size: 3 } } });
    await missing(3, 8);
    await publish(9);
    const expected = [lost(3, 8), event(9)];
    expect([received(), told]).toEqual([
      [expected, expected],
      ['lost', 'done 2'],
    ]);
  });

  it('[L-5.8] each subscriber gets notice of its own loss', async () => {
    const { missing, publish, test, received } = await start({ rules: {}, peers: 1 });
    await missing(3, 4);
    const late = test.connect();
    await late.send({ type: 'subscribe', topic: 't' });
    await missing(5);
    await publish(6);
    expect(received()).toEqual([[lost(3, 5), event(6)]]);
    expect(late.received()).toEqual([pushed(4), lost(5, 5), event(6)]);
  });

  it('[L-5.8] publications that already arrived are not reported lost', async () => {
    const { missing, publish, received, broker, test } = await start({ rules: {}, peers: 1 });
    let answer = (): void => {};
    broker.slow.set('read', new Promise<void>((resolve) => (answer = resolve)));
    await missing(3);
    await publish(4);
    await missing(5);
    await publish(6);
    answer();
    await test.clock.settle();
    expect(received()).toEqual([[lost(3, 3), event(4), lost(5, 5), event(6)]]);
  });

  it('[L-5.8] publications that the history still has, behind a gap, are not reported lost', async () => {
    const { missing, publish, received, broker, test } = await start({
      rules: { history: { ...history, size: 3 } },
      peers: 1,
    });
    let answer = (): void => {};
    broker.slow.set('read', new Promise<void>((resolve) => (answer = resolve)));
    await missing(3, 4);
    await publish(5);
    await missing(6);
    await publish(7);
    answer();
    await test.clock.settle();
    expect(received()).toEqual([[lost(3, 4), event(5), event(6), event(7)]]);
  });

  it('without a history, a missing publication is given up only after a second', async () => {
    const { missing, received, broker, test, later } = await start({ rules: {}, peers: 1 });
    const { epoch } = (await test.broker.read('t', undefined, { count: 0, bytes: 0 })).top;
    await missing(3, 4);
    broker.suspect();
    await later(500);
    broker.deliver('t', epoch, { offset: 3, data: '3' });
    await later(400);
    expect(received()).toEqual([[event(3)]]);
    await later(200);
    expect(received()).toEqual([[lost(4, 4)]]);
  });

  it('[L-5.8] a loss is followed by a snapshot if the topic has one', async () => {
    let state = 0;
    const { missing, publish, received, told, test } = await start({
      rules: { snapshot: () => ({ state: ++state }) },
    });
    await missing(3, 4);
    await publish(5);
    await test.clock.settle();
    await publish(6);
    const expected = [lost(3, 5), pushed(5, { snapshot: { state: 3 } }), event(6)];
    expect([received(), told]).toEqual([
      [expected, expected],
      ['lost', 'done 2'],
    ]);
  });

  it('[L-5.7] a replaced stream is reported when its first publication arrives', async () => {
    const { publish, received, broker, told } = await start();
    await broker.lose('t');
    await publish(1, 2);
    const expected = [pushed(0), event(1), event(2)];
    expect([received(), told]).toEqual([
      [expected, expected],
      ['new-epoch', 'done 2'],
    ]);
  });

  it('[L-5.7] a replaced stream is reported with its snapshot', async () => {
    const { publish, received, broker, test } = await start({ rules: { snapshot: () => 'S', history } });
    await broker.lose('t');
    broker.suspect();
    await test.clock.settle();
    await publish(1);
    const expected = [pushed(0, { snapshot: 'S' }), event(1)];
    expect(received()).toEqual([expected, expected]);
  });

  it('[L-5.7] a stream that has gone back is reported once that is certain', async () => {
    const { publish, received, broker, test, later } = await start({ peers: 1 });
    const { epoch } = (await test.broker.read('t', undefined, { count: 0, bytes: 0 })).top;
    broker.deliver('t', epoch, { offset: 3, data: '"of a server that has failed"' });
    broker.suspect();
    await later(2_000);
    await publish(3);
    expect(received()).toEqual([[event(3, 'of a server that has failed'), pushed(2), event(3)]]);
  });

  it('late publications of the old stream are not sent', async () => {
    const { publish, received, broker, test } = await start({ peers: 1 });
    const { epoch } = (await test.broker.read('t', undefined, { count: 0, bytes: 0 })).top;
    await broker.lose('t');
    await publish(1);
    broker.deliver('t', epoch, { offset: 3, data: '3' });
    await test.clock.settle();
    await publish(2);
    expect(received()).toEqual([[pushed(0), event(1), event(2)]]);
    expect(test.live.stats().healing).toBe(0);
  });
});

describe('Continuity, where the engine has begun a new epoch', () => {
  const goesOn = (offset: number) => pushed(offset, { recovered: true });

  it("[L-5.14] a subscriber within the engine's history gets the new epoch and misses nothing", async () => {
    const { publish, received, broker, told } = await start();
    await broker.restart('t');
    await publish(3, 4);
    const expected = [goesOn(2), event(3), event(4)];
    expect([received(), told]).toEqual([
      [expected, expected],
      ['continued', 'healed'],
    ]);
  });

  it('[L-5.14] a quiet topic adopts the new epoch when positions are compared', async () => {
    const { received, broker, test, told } = await start();
    await broker.restart('t');
    broker.suspect();
    await test.clock.settle();
    const { top } = await broker.read('t', undefined, { count: 0, bytes: 0 });
    expect(received()).toEqual([[{ ...goesOn(2), epoch: top.epoch }], [{ ...goesOn(2), epoch: top.epoch }]]);
    expect(told).toEqual(['continued']);
  });

  it('[L-5.14] publications missed across the change follow the new epoch in order', async () => {
    const { missing, publish, received, broker } = await start({ peers: 1 });
    await missing(3, 4);
    await broker.restart('t');
    await publish(5);
    expect(received()).toEqual([[goesOn(2), event(3), event(4), event(5)]]);
  });

  it('[L-5.14] a subscriber ahead of the engine gets a fresh start', async () => {
    const { publish, received, broker, told } = await start({ peers: 1 });
    await broker.restart('t', 1);
    await publish(3);
    expect([received(), told]).toEqual([[[pushed(2), event(3)]], ['new-epoch', 'done 1']]);
  });

  it('[L-5.14] a slow subscriber gets the new epoch with its own offset', async () => {
    const { publish, broker, test } = await start({ rules: { history, delivery: { slow: 'conflate' } } });
    const socket = new TestSocket(true);
    const slow = test.connect({ socket });
    await slow.send({ type: 'subscribe', topic: 't' });
    await publish(3, 5);
    await broker.restart('t');
    await publish(6);
    for (let i = 0; i < 5; i++) {
      socket.drain();
      await test.clock.settle();
    }
    const merged = { type: 'event', topic: 't', from: 3, offset: 6, data: 6 };
    expect(slow.received()).toEqual([pushed(2), goesOn(2), merged]);
  });

  it('[L-5.13] a position of an earlier epoch is recovered up to the end of that epoch, under the new one', async () => {
    const { test, broker, publish } = await start();
    const { epoch } = (await broker.read('t', undefined, { count: 0, bytes: 0 })).top;
    await broker.restart('t', 1);
    await publish(3);
    const answers = [];
    for (const offset of [0, 1, 2]) {
      const peer = test.connect();
      await peer.send({ type: 'subscribe', topic: 't', since: { epoch, offset } });
      answers.push(peer.received());
    }
    const { top } = await broker.read('t', undefined, { count: 0, bytes: 0 });
    const answer = (offset: number, recovered: boolean) => ({
      ...pushed(offset),
      recovered,
      epoch: top.epoch,
    });
    expect(answers).toEqual([
      [answer(0, true), event(1), event(2), event(3)],
      [answer(1, true), event(2), event(3)],
      [answer(3, false)],
    ]);
  });
});

describe('Continuity and a subscribe', () => {
  it('[L-3.10] a subscribe during a repair starts at the repaired position', async () => {
    const { missing, publish, test, broker } = await start({ peers: 1 });
    let answer = (): void => {};
    broker.slow.set('read', new Promise<void>((resolve) => (answer = resolve)));
    await missing(3);
    await publish(4);
    const late = test.connect();
    await late.send({ type: 'subscribe', topic: 't' });
    answer();
    await test.clock.settle();
    await publish(5);
    expect(late.received()).toEqual([pushed(4), event(5)]);
  });

  it('[L-3.10] a subscribe detects an unnoticed loss of the stream and starts over in the new one', async () => {
    const { publish, test, broker, received } = await start({ peers: 1 });
    await broker.lose('t');
    const late = test.connect();
    await late.send({ type: 'subscribe', topic: 't' });
    await publish(1);
    expect(late.received()).toEqual([pushed(0), event(1)]);
    expect(received()).toEqual([[pushed(0), event(1)]]);
  });

  it('[L-3.10] a subscribe starts over when one of its held publications was lost', async () => {
    const { test, broker, publish, missing } = await start({ peers: 0, rules: {} });
    const { send, received } = test.connect();
    let answer = (): void => {};
    broker.slow.set('read', new Promise<void>((resolve) => (answer = resolve)));
    await send({ type: 'subscribe', topic: 't' });
    broker.slow.clear();
    await publish(3);
    await missing(4);
    await publish(5);
    answer();
    await test.clock.settle();
    expect(received()).toEqual([pushed(5)]);
  });

  it('[L-5.11] subscribe and publish are answered unavailable at once while the broker is unavailable', async () => {
    const { test, broker, told } = await start({ peers: 0 });
    const { send, received } = test.connect();
    broker.goAway();
    await send({ type: 'subscribe', id: 1, topic: 't' });
    await send({ type: 'publish', id: 2, topic: 't', data: 1 });
    const error = { type: 'error', topic: 't', code: 'unavailable', message: text, retryAfterMs: 1_000 };
    expect(received()).toEqual([
      { ...error, id: 1 },
      { ...error, id: 2 },
    ]);
    await expect(test.live.publish('t', 1)).rejects.toMatchObject({ code: 'unavailable' });
    expect([told, broker.calls, test.live.available]).toEqual([[], [], false]);
  });
});
