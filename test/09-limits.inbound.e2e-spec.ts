import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LiveTopic } from '../src/index.js';
import { LiveMetrics, LiveMetricsModule } from '../src/nest/metrics/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { deferred } from './support/deferred.js';
import { itOnSockets } from './support/door.js';
import {
  type LiveAppOptions,
  OpenTopics,
  type Platform,
  platforms,
  startLiveApp,
} from './support/live-app.js';
import { closeOf, frame, Opcode, texts, WirePeer } from './support/wire-peer.js';

/** Everybody may subscribe. The check or the snapshot takes as long as the test wants. */
@LiveTopic('public/*')
class PublicTopics {
  static slow: 'canSubscribe' | 'snapshot';
  static asked = 0;
  static answer = Promise.resolve();

  private static async ask(what: 'canSubscribe' | 'snapshot'): Promise<void> {
    if (what !== PublicTopics.slow) return;
    PublicTopics.asked += 1;
    await PublicTopics.answer;
  }

  async canSubscribe(): Promise<boolean> {
    await PublicTopics.ask('canSubscribe');
    return true;
  }

  async snapshot(): Promise<unknown> {
    await PublicTopics.ask('snapshot');
    return { state: 1 };
  }
}

async function start(platform: Platform, options: LiveAppOptions['options'] = {}) {
  const providers = [OpenTopics, PublicTopics];
  const started = await startLiveApp({ platform, options, providers, imports: [LiveMetricsModule] });
  const metrics = started.app.get(LiveMetrics, { strict: false });
  const read = async (series: string): Promise<number> => {
    const line = new RegExp(`^processor_live_${series} (\\d+)$`, 'm');
    return Number(line.exec(await metrics.text())?.[1]);
  };
  const counted = (result: 'refused' | 'closed' | 'unsettled'): Promise<number> =>
    read(`rate_limited_total\\{result="${result}"\\}`);
  return { ...started, counted, errors: (code: string) => read(`errors_total\\{code="${code}"\\}`) };
}

const pings = (from: number, to: number): object[] =>
  Array.from({ length: to - from }, (_, i) => ({ type: 'ping', id: from + i }));

/** A slow rate, so that no token is added while a burst is on its way. */
const slow = { messagesPerSecond: 2, messageBurst: 5 };

describe.each(platforms)('9. How fast a connection may send, on %s', (_name, platform) => {
  it('[L-9.10] a burst is accepted, one more message is refused with its id, and accepted after retryAfterMs', async () => {
    const { url, counted, errors } = await start(platform, { inboundRate: slow });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.next();
    for (const ping of pings(1, 7)) client.send(ping);
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push(await client.next());
    const refusal = answers.find(({ type }) => type === 'error');
    expect(refusal).toEqual({
      type: 'error',
      id: 6,
      code: 'rate-limited',
      message: 'Too many messages in this time',
      retryAfterMs: expect.any(Number) as number,
    });
    expect(answers.filter((answer) => answer !== refusal)).toEqual(
      [1, 2, 3, 4, 5].map((id) => ({ type: 'pong', id })),
    );
    const { retryAfterMs } = refusal as unknown as { retryAfterMs: number };
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(500);
    await sleep(retryAfterMs);
    for (const ping of pings(6, 8)) client.send(ping);
    expect([await client.next(), await client.next()]).toEqual([
      { type: 'pong', id: 6 },
      expect.objectContaining({ id: 7, code: 'rate-limited' }),
    ]);
    expect([await counted('refused'), await counted('closed'), await errors('rate-limited')]).toEqual([
      2, 0, 2,
    ]);
  });

  it('[L-9.10] a burst of bytes always fits one message of the maximum size, and one more is refused', async () => {
    const options = { maxMessageBytes: 1_000, inboundRate: { bytesPerSecond: 500, byteBurst: 1_000 } };
    const { url } = await start(platform, options);
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    const ping = (id: number, bytes: number): object => {
      const empty = JSON.stringify({ type: 'ping', id, x: '' }).length;
      return { type: 'ping', id, x: 'x'.repeat(bytes - empty) };
    };
    await client.next();
    client.send(ping(1, 1_000));
    client.send(ping(2, 100));
    const answers = [await client.next(), await client.next()];
    expect(answers).toContainEqual({ type: 'pong', id: 1 });
    const refusal = answers.find(({ id }) => id === 2);
    expect(refusal?.['code']).toBe('rate-limited');
    await sleep(Number(refusal?.['retryAfterMs']));
    expect(await client.request(ping(2, 100) as { id: number })).toEqual({ type: 'pong', id: 2 });
  });

  it('[L-9.10] the default burst fits a client that resubscribes to 128 topics and then publishes', async () => {
    const { url, counted } = await start(platform);
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    const since = { epoch: 'e'.repeat(64), offset: 9_007_199_254_740_991 };
    for (let id = 0; id < 128; id++) {
      const topic = `open/${String(id).padStart(123, 'x')}`;
      client.send({ type: 'subscribe', id, topic, since });
    }
    for (let id = 128; id < 168; id++) client.send({ type: 'publish', id, topic: 'open/1', data: id });
    let answers: readonly { type: string }[] = [];
    while (answers.length < 168) {
      await client.next();
      answers = client.transcript.filter(({ type, id }) => type !== 'event' && id !== undefined);
    }
    expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(['subscribed', 'published']));
    expect(await counted('refused')).toBe(0);
  });

  it('[L-9.11] a client far above the rate is closed with 4002, and other clients are not affected', async () => {
    const { url, counted } = await start(platform);
    const other = await LiveTestClient.connect(url, { token: 'bob' });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    for (const ping of pings(0, 2_000)) client.send(ping);
    expect(await client.closed).toEqual({ code: 4002, reason: 'too fast' });
    const seen = (type: string): number => client.transcript.filter((each) => each.type === type).length;
    // Messages that were unhandled at the close stay unhandled.
    expect(seen('pong')).toBeLessThanOrEqual(170);
    expect(seen('error')).toBeGreaterThanOrEqual(200);
    expect(seen('error')).toBeLessThanOrEqual(210);
    expect(await other.request({ type: 'ping', id: 1 })).toEqual({ type: 'pong', id: 1 });
    expect(await counted('closed')).toBe(1);
  });

  it('[L-9.11] the socket of a client that was closed for its rate ends, although nothing more is read from it', async () => {
    const { url, live } = await start(platform, { inboundRate: slow });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    for (const ping of pings(0, 100)) client.send(ping);
    expect(await client.closed).toEqual({ code: 4002, reason: 'too fast' });
    while (live.stats().connections > 0) await sleep(10);
  });

  itOnSockets(
    '[L-9.12] WebSocket pings count against the rate, and a client that floods with them is closed',
    async () => {
      const { url } = await start(platform, { inboundRate: slow });
      const peer = await WirePeer.open(url);
      const controls = (count: number): Buffer =>
        Buffer.concat(Array.from({ length: count }, () => frame(Opcode.ping, 'hi')));
      const pongsFor = async (count: number) => {
        peer.send(controls(count));
        let last = await peer.frame();
        for (let i = 1; i < count && last.opcode === Opcode.pong; i++) last = await peer.frame();
        return last;
      };
      peer.send(controls(5), texts({ type: 'ping', id: 1 }));
      for (let i = 0; i < 5; i++) expect(await peer.frame()).toMatchObject({ opcode: Opcode.pong });
      expect(await peer.message()).toMatchObject({ type: 'error', id: 1, code: 'rate-limited' });
      // A few at a time: `ws` itself terminates a client that does not wait for its pongs.
      let next = await pongsFor(4);
      for (let i = 0; i < 10 && next.opcode === Opcode.pong; i++) next = await pongsFor(4);
      expect(closeOf(next)).toEqual({ code: 4002, reason: 'too fast' });
    },
  );

  it('[L-9.12] a client is never closed for its pongs', async () => {
    const { url, live } = await start(platform, {
      inboundRate: { messagesPerSecond: 1, messageBurst: 1 },
      pingIntervalMs: 20,
      pongTimeoutMs: 1_000,
    });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    let seen = 0;
    await new Promise<void>((resolve) => {
      client.socket.on('ping', () => {
        seen += 1;
        if (seen === 30) resolve();
      });
    });
    expect(await client.request({ type: 'ping', id: 1 })).toEqual({ type: 'pong', id: 1 });
    expect(live.stats().connections).toBe(1);
  });

  it.each(['canSubscribe', 'snapshot'] as const)(
    '[L-9.15] one connection that subscribes and unsubscribes 1,000 times causes at most 16 open %s calls',
    async (slow) => {
      const { url, counted, errors, live } = await start(platform, { dangerouslyUnlimitedInbound: true });
      const { promise, resolve } = deferred();
      Object.assign(PublicTopics, { slow, asked: 0, answer: promise });
      const client = await LiveTestClient.connect(url, { token: 'ann' });
      for (let i = 0; i < 1_000; i++) {
        client.send({ type: 'subscribe', id: `s${String(i)}`, topic: `public/${String(i)}` });
        // An unsubscribe before the call would cost the application nothing.
        while (PublicTopics.asked < Math.min(i + 1, 16)) await sleep(1);
        client.send({ type: 'unsubscribe', topic: `public/${String(i)}` });
      }
      expect(await client.request({ type: 'ping', id: 'last' })).toEqual({ type: 'pong', id: 'last' });
      expect(PublicTopics.asked).toBe(16);
      const refused = () => client.transcript.filter(({ code }) => code === 'rate-limited');
      const takenBack = client.transcript.filter(({ code }) => code === 'unavailable');
      expect(refused().length + takenBack.length).toBe(1_000);
      // An unsubscribe overtakes the guards of its subscribe, so this subscribe is not canceled.
      expect(await client.request({ type: 'subscribe', id: 's', topic: 'public/s' })).toMatchObject({
        code: 'rate-limited',
        retryAfterMs: 1_000,
      });
      expect(PublicTopics.asked).toBe(16);
      const count = refused().length;
      expect([await counted('unsettled'), await errors('rate-limited')]).toEqual([count, count]);
      // Another connection is not held back, and neither is this one after the answers.
      resolve();
      const other = await LiveTestClient.connect(url, { token: 'bob' });
      for (const each of [other, client])
        expect(await each.request({ type: 'subscribe', id: 1, topic: 'public/1' })).toMatchObject({
          type: 'subscribed',
          snapshot: { state: 1 },
        });
      expect(live.stats().subscriptions).toBe(2);
    },
  );

  it('[L-9.10] the rate limits application calls even if they answer at once', async () => {
    const { url, counted } = await start(platform);
    Object.assign(PublicTopics, { slow: 'canSubscribe', asked: 0, answer: Promise.resolve() });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    const churn = Array.from({ length: 1_000 }, (_, i) => [
      { type: 'subscribe', topic: `public/${String(i)}` },
      { type: 'unsubscribe', topic: `public/${String(i)}` },
    ]);
    for (const message of churn.flat()) client.send(message);
    expect(await client.closed).toEqual({ code: 4002, reason: 'too fast' });
    // Half of a burst of 168, plus the tokens that were added while it was read.
    expect(PublicTopics.asked).toBeLessThanOrEqual(90);
    expect(await counted('closed')).toBe(1);
  });
});
