import { describe, expect, it } from 'vitest';
import { LiveError } from '../../protocol/live.error.js';
import { TestLive, type TestLiveOptions, type TestPeer } from '../../testing/test-live.js';
import { TestSocket } from '../../testing/test-socket.js';
import type { InboundRate } from '../ports/limits.js';

const inboundRate: InboundRate = {
  messagesPerSecond: 20,
  messageBurst: 3,
  bytesPerSecond: 1_000,
  byteBurst: 2_000,
};

function start(options: TestLiveOptions = {}) {
  const tooFast: string[] = [];
  const test = new TestLive({
    ...options,
    limits: { inboundRate, ...options.limits },
    observer: { tooFast: (_connection, result) => void tooFast.push(result) },
  });
  return { test, tooFast };
}

const ping = (id: number | string): string => JSON.stringify({ type: 'ping', id });
const pong = (id: number | string) => ({ type: 'pong', id });
const refusal = (retryAfterMs: number, id?: number | string) => ({
  type: 'error',
  ...(id !== undefined && { id }),
  code: 'rate-limited',
  message: 'Too many messages in this time',
  retryAfterMs,
});

/** Sends all messages in one turn, like one read of the socket. */
async function sendAtOnce(test: TestLive, { session }: TestPeer, texts: readonly string[]): Promise<void> {
  for (const text of texts) session.received(text);
  for (let turns = 0; turns < texts.length; turns += 100) await test.clock.settle();
}

const pings = (count: number): string[] => Array.from({ length: count }, (_, i) => ping(i));

describe('The pace of a connection', () => {
  it('[L-9.10] a burst is accepted, one more message is answered rate-limited, and accepted after its wait', async () => {
    const { test, tooFast } = start();
    const peer = test.connect();
    await sendAtOnce(test, peer, [ping(1), ping(2), ping(3), ping('four')]);
    expect(peer.received()).toContainEqual(refusal(50, 'four'));
    test.clock.advance(49);
    await peer.send(ping(5));
    expect(peer.received()).toEqual([refusal(51, 5)]);
    test.clock.advance(51);
    await sendAtOnce(test, peer, [ping(4), ping(5)]);
    expect(peer.received()).toEqual([pong(4), pong(5)]);
    expect(tooFast).toEqual(['refused', 'refused']);
  });

  it('[L-9.10] the byte rate counts bytes as received, not characters', async () => {
    const { test } = start();
    const { session, received } = test.connect();
    const text = (bytes: number): string => `{"type":"ping","x":"${'x'.repeat(bytes - 22)}"}`;
    session.received(text(1_000));
    session.received(text(400), 1_000);
    session.received(text(100));
    await test.clock.settle();
    expect(received()).toEqual([{ type: 'pong' }, { type: 'pong' }, refusal(100)]);
  });

  it('[L-9.10] a rate-limited message is not handled; its answer names its topic and may overtake others', async () => {
    const asked: string[] = [];
    const { test } = start({ rulesFor: (topic) => ({ canSubscribe: () => asked.push(topic) > 0 }) });
    const peer = test.connect();
    const messages = [1, 2, 3, 4].map((id) =>
      JSON.stringify({ type: 'subscribe', id, topic: `a/${String(id)}` }),
    );
    await sendAtOnce(test, peer, messages);
    const answers = peer.received() as { type: string; id: number; topic: string }[];
    expect(answers.map(({ type, id, topic }) => [type, id, topic])).toEqual([
      ['error', 4, 'a/4'],
      ['subscribed', 1, 'a/1'],
      ['subscribed', 2, 'a/2'],
      ['subscribed', 3, 'a/3'],
    ]);
    expect(asked).toEqual(['a/1', 'a/2', 'a/3']);
  });

  it('[L-9.10] invalid messages are rate-limited in the same way and do not count as violations', async () => {
    const { test } = start({ limits: { inboundRate: { ...inboundRate, messagesPerSecond: 1_000 } } });
    const peer = test.connect();
    await sendAtOnce(test, peer, ['{}', '{}', '{}', ...Array.from({ length: 150 }, () => '[')]);
    expect(peer.received().slice(3, 5)).toEqual([refusal(1), refusal(2)]);
    expect(peer.socket.open).toBe(true);
  });

  it('[L-9.10] each connection has its own rate limit', async () => {
    const { test } = start();
    const [ann, bob] = [test.connect(), test.connect()];
    await sendAtOnce(test, ann, pings(4));
    await sendAtOnce(test, bob, pings(3));
    expect(bob.received()).toEqual([pong(0), pong(1), pong(2)]);
  });

  it('[L-9.10] without a rate limit nothing is refused', async () => {
    const test = new TestLive();
    const peer = test.connect();
    await sendAtOnce(test, peer, pings(1_000));
    expect(peer.received()).toEqual(Array.from({ length: 1_000 }, (_, i) => pong(i)));
  });

  it('[L-9.11] a peer whose wait would exceed 10 seconds is closed with 4002, and nothing more is read', async () => {
    const { test, tooFast } = start();
    const peer = test.connect({ socket: new TestSocket(false, false) });
    await sendAtOnce(test, peer, pings(203));
    const told = (peer.received() as { retryAfterMs?: number }[]).map(({ retryAfterMs }) => retryAfterMs);
    expect(Math.max(...told.filter((ms) => ms !== undefined))).toBe(10_000);
    expect([peer.socket.closedWith, peer.socket.paused]).toEqual([undefined, false]);
    await sendAtOnce(test, peer, pings(1_000));
    expect(peer.socket.closedWith).toEqual({ code: 4002, reason: 'too fast' });
    expect(peer.socket.paused).toBe(true);
    expect(peer.received()).toEqual([]);
    expect(tooFast).toEqual([...Array.from({ length: 200 }, () => 'refused'), 'closed']);
  });

  it('[L-9.11] nothing more is read from a closed peer even after its queued messages were handled', async () => {
    let finish = (): void => {};
    const { test } = start({
      limits: { maxWaitingMessages: 1 },
      handlers: () => () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    });
    const peer = test.connect({ socket: new TestSocket(false, false) });
    await sendAtOnce(test, peer, pings(300));
    expect([peer.socket.closedWith?.code, peer.socket.paused]).toEqual([4002, true]);
    finish();
    await test.clock.settle();
    expect(peer.socket.paused).toBe(true);
  });

  it('[L-9.12] pings and unsolicited pongs count as messages, and a flood of them closes the connection', async () => {
    for (const what of ['pinged', 'heard'] as const) {
      const { test, tooFast } = start();
      const peer = test.connect();
      for (let i = 0; i < 3; i++) peer.session[what](0);
      expect(tooFast).toEqual([]);
      await peer.send(ping(1));
      expect(peer.received()).toEqual([refusal(50, 1)]);
      for (let i = 0; i < 199; i++) peer.session[what](0);
      expect([peer.socket.open, peer.received()]).toEqual([true, []]);
      peer.session[what](0);
      expect(peer.socket.closedWith).toEqual({ code: 4002, reason: 'too fast' });
    }
  });

  it('[L-9.12] the payload of a ping counts toward the byte rate', async () => {
    const { test } = start({ limits: { inboundRate: { ...inboundRate, byteBurst: 125 } } });
    const peer = test.connect();
    peer.session.pinged(125);
    await peer.send(ping(1));
    expect(peer.received()).toEqual([refusal(ping(1).length, 1)]);
  });

  it('[L-9.12] pongs to heartbeat pings are not counted, and a peer that sends only them costs no memory', async () => {
    const { test, tooFast } = start();
    const peer = test.connect();
    const { connection } = peer.session;
    await peer.send(ping(1));
    expect(connection.gate).toBeDefined();
    for (let seconds = 0; seconds < 1_250; seconds++) {
      test.clock.advance(1_000);
      if (connection.pongsDue > 0) peer.session.heard(0);
    }
    expect([peer.socket.pings, connection.gate, tooFast]).toEqual([50, undefined, []]);
    peer.session.heard(0);
    expect(connection.gate).toBeDefined();
  });

  it('[L-2.8] 16 messages of one read are handled per turn, in order, so that others get their turn', async () => {
    const handled: number[] = [];
    const test = new TestLive({
      handlers: () => (_connection, message) => void handled.push(Number(message.id)),
    });
    const { session } = test.connect();
    for (const text of pings(40)) session.received(text);
    const microtasks = async (): Promise<void> => {
      for (let i = 0; i < 500; i++) await Promise.resolve();
    };
    await microtasks();
    expect(handled.length).toBe(16);
    test.clock.flush();
    await microtasks();
    expect(handled.length).toBe(32);
    await test.clock.settle();
    expect(handled).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});

describe('Open calls to the application', () => {
  const subscribe = (n: number) => ({ type: 'subscribe', id: n, topic: `a/${String(n)}` });
  const unsubscribe = (n: number) => ({ type: 'unsubscribe', topic: `a/${String(n)}` });
  const tooMuch = {
    type: 'error',
    code: 'rate-limited',
    message: 'Too many requests of this connection are in progress',
    retryAfterMs: 1_000,
  };

  /** Subscribes and unsubscribes repeatedly. */
  async function churn(peer: TestPeer, from: number, to: number): Promise<void> {
    for (let n = from; n < to; n++) {
      await peer.send(subscribe(n));
      await peer.send(unsubscribe(n));
    }
  }

  it('[L-9.15] a connection has at most 16 open application calls, even if it no longer waits for them', async () => {
    const open: ((answer: boolean) => void)[] = [];
    const test = new TestLive({
      rulesFor: () => ({
        canSubscribe: () => new Promise<boolean>((resolve) => void open.push(resolve)),
        canPublish: () => true,
      }),
    });
    const [peer, other] = [test.connect(), test.connect()];
    await churn(peer, 0, 16);
    expect([open.length, peer.session.connection.openQuestions]).toEqual([16, 16]);
    peer.received();
    await peer.send(subscribe(16));
    await peer.send({ type: 'publish', id: 17, topic: 'a/1', data: 1 });
    expect(peer.received()).toEqual([
      { ...tooMuch, id: 16, topic: 'a/16' },
      { ...tooMuch, id: 17, topic: 'a/1' },
    ]);
    expect(open.length).toBe(16);
    void other.send(subscribe(1));
    await test.clock.settle();
    expect(open.length).toBe(17);
    open[3]?.(true);
    await test.clock.settle();
    void peer.send(subscribe(18));
    await test.clock.settle();
    expect(open.length).toBe(18);
    for (const answer of open) answer(true);
    await test.clock.settle();
    expect([peer, other].map(({ session }) => session.connection.openQuestions)).toEqual([0, 0]);
    expect(peer.session.connection.topics).toEqual(['a/18']);
  });

  it('[L-9.15] a pending snapshot counts as an open application call', async () => {
    let taken = 0;
    const test = new TestLive({
      rulesFor: () => ({
        snapshot: () => {
          taken += 1;
          return new Promise(() => {});
        },
      }),
    });
    const peer = test.connect();
    await churn(peer, 0, 20);
    expect([taken, peer.session.connection.openQuestions]).toEqual([16, 16]);
  });

  it('[L-9.15] a pending credential check counts as an open application call', async () => {
    let verified = 0;
    const test = new TestLive({
      verify: () => {
        verified += 1;
        return new Promise(() => {});
      },
    });
    const peer = test.connect();
    for (let n = 0; n < 20; n++) {
      await peer.send({ type: 'auth', id: n, token: 'x' });
      test.clock.advance(5_000);
      peer.session.heard();
      await test.clock.settle();
    }
    expect(verified).toBe(17);
    expect(peer.received().at(-1)).toEqual({ ...tooMuch, id: 19 });
  });

  it('[L-9.15] one place is reserved for a new credential while authorization checks never settle', async () => {
    const test = new TestLive({
      rulesFor: () => ({ canSubscribe: () => new Promise<boolean>(() => {}) }),
      verify: () => Promise.resolve({ user: { id: 'ann' } }),
    });
    const peer = test.connect({ user: { id: 'ann' } });
    await churn(peer, 0, 20);
    expect(peer.session.connection.openQuestions).toBe(16);
    await peer.send({ type: 'auth', id: 20, token: 'x' });
    expect(peer.received().at(-1)).toEqual({ type: 'authenticated', id: 20 });
  });

  it('[L-9.15] a snapshot that is a query of a database library runs once', async () => {
    let runs = 0;
    // Runs whenever `then` is called, as the queries of knex and drizzle do.
    const query: PromiseLike<unknown> = {
      // oxlint-disable-next-line unicorn/no-thenable -- this is what is tested
      then(resolve, reject) {
        runs += 1;
        return Promise.resolve({ state: 1 }).then(resolve, reject);
      },
    };
    const test = new TestLive({ rulesFor: () => ({ snapshot: () => query }) });
    const peer = test.connect();
    await peer.send(subscribe(1));
    expect(peer.received()).toContainEqual(expect.objectContaining({ id: 1, snapshot: { state: 1 } }));
    expect([runs, peer.session.connection.openQuestions]).toEqual([1, 0]);
  });

  it('[L-9.15] a failed call is settled, and a synchronous answer never counts', async () => {
    let fails = true;
    const test = new TestLive({
      rulesFor: () => ({
        canSubscribe: () => (fails ? Promise.reject(new LiveError('internal', 'no')) : true),
      }),
    });
    const peer = test.connect();
    for (let n = 0; n < 100; n++) await peer.send(subscribe(n));
    expect(peer.session.connection.openQuestions).toBe(0);
    fails = false;
    for (let n = 0; n < 100; n++) await peer.send(subscribe(n));
    expect(peer.session.connection.topics.length).toBe(100);
  });
});
