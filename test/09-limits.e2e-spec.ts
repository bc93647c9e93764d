import { describe, expect, it } from 'vitest';
import { ConnectionRegistry, LiveObservers, LiveTopic } from '../src/index.js';
import { LiveMetrics, LiveMetricsModule } from '../src/nest/metrics/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { deferred } from './support/deferred.js';
import { describeOnSockets } from './support/door.js';
import { type LiveAppOptions, type Platform, platforms, startLiveApp } from './support/live-app.js';
import { closeOf, frame, Opcode, WirePeer } from './support/wire-peer.js';
import { insideOf } from './support/inside-of.js';

const KiB = 1024;
const MiB = 1024 * KiB;

async function start(platform: Platform, setup: LiveAppOptions = {}) {
  const app = await startLiveApp({ platform, ...setup });
  return { ...app, peer: await WirePeer.open(app.url) };
}

/** A ping of exactly `bytes` bytes of JSON. */
const pingOf = (bytes: number): string => {
  const empty = '{"type":"ping","id":1,"padding":""}';
  return `${empty.slice(0, -2)}${'x'.repeat(bytes - empty.length)}"}`;
};
const pong = { type: 'pong', id: 1 };

/** One text message in `count` frames. */
function inFragments(message: object, count: number): Buffer {
  const text = JSON.stringify(message);
  const piece = (i: number): string =>
    text.slice(Math.floor((i * text.length) / count), Math.floor(((i + 1) * text.length) / count));
  const frames = Array.from({ length: count }, (_, i) =>
    frame(i === 0 ? Opcode.text : Opcode.continuation, piece(i), i === count - 1),
  );
  return Buffer.concat(frames);
}

describeOnSockets.each(platforms)('9. Messages that are too large, on %s', (_name, platform) => {
  it('[L-9.1] a message of 64 KiB is accepted, and one byte more closes with 1009', async () => {
    const { peer } = await start(platform);
    peer.send(frame(Opcode.text, pingOf(64 * KiB)));
    expect(await peer.message()).toEqual(pong);
    peer.send(frame(Opcode.text, pingOf(64 * KiB + 1)));
    expect(closeOf(await peer.frame()).code).toBe(1009);
  });

  it('[L-9.1] the limit applies to a message, not to its frames', async () => {
    const { peer } = await start(platform);
    const half = 'x'.repeat(40 * KiB);
    peer.send(frame(Opcode.text, half, false), frame(Opcode.continuation, half));
    expect(closeOf(await peer.frame()).code).toBe(1009);
  });

  it('[L-9.1] the limit counts bytes, not characters', async () => {
    const { peer } = await start(platform);
    peer.send(frame(Opcode.text, JSON.stringify({ type: 'ping', padding: '€'.repeat(22 * KiB) })));
    expect(closeOf(await peer.frame()).code).toBe(1009);
  });

  it('[L-9.1] an oversized frame header closes the connection before its payload arrives', async () => {
    const { peer } = await start(platform);
    peer.send(frame(Opcode.text, 'x'.repeat(100 * KiB)).subarray(0, 14));
    expect(closeOf(await peer.frame()).code).toBe(1009);
  });

  it('[L-9.1] a message of 32 fragments is accepted, and 33 fragments close with 1008', async () => {
    const { peer } = await start(platform);
    const message = { type: 'ping', id: 1, padding: 'x'.repeat(50) };
    peer.send(inFragments(message, 32));
    expect(await peer.message()).toEqual(pong);
    peer.send(inFragments(message, 33));
    expect(closeOf(await peer.frame()).code).toBe(1008);
  });

  it('[L-9.1] the metrics count closes for size and fragments by their codes', async () => {
    const { app, peer, url, live } = await start(platform, { imports: [LiveMetricsModule] });
    peer.send(frame(Opcode.text, pingOf(64 * KiB + 1)));
    expect(closeOf(await peer.frame()).code).toBe(1009);
    const other = await WirePeer.open(url);
    other.send(inFragments({ type: 'ping', padding: 'x'.repeat(50) }, 33));
    expect(closeOf(await other.frame()).code).toBe(1008);
    for (const { socket } of [peer, other]) socket.resetAndDestroy();
    await expect.poll(() => live.stats().connections).toBe(0);
    const text = await app.get(LiveMetrics, { strict: false }).text();
    for (const count of ['{code="1009"} 1', '{code="1008"} 1', '{code="1006"} 0'])
      expect(text).toContain(`processor_live_closes_total${count}\n`);
  });
});

@LiveTopic('notes/:id', { maxPublicationBytes: 100 })
class SmallNotes {
  canSubscribe(): boolean {
    return true;
  }

  canPublish(): boolean {
    return true;
  }
}

describe.each(platforms)('9. Limits, on %s', (_name, platform) => {
  it('[L-9.3] the welcome states the limits that the server enforces', async () => {
    const heartbeat = { pingIntervalMs: 5_000, pongTimeoutMs: 2_000 };
    const questions = { authorizationTimeoutMs: 3_000, snapshotTimeoutMs: 4_000 };
    const options = { maxMessageBytes: 1_000, maxTopicsPerConnection: 2, ...heartbeat, ...questions };
    const { url } = await startLiveApp({ platform, options });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    const limits = { maxMessageBytes: 1_000, maxTopics: 2, ...heartbeat, answerTimeoutMs: 7_000 };
    expect((await client.next())['limits']).toMatchObject(limits);
    for (const topic of ['open/1', 'open/2', 'open/3']) client.send({ type: 'subscribe', topic });
    const answers = await client.settle();
    expect(answers.map(({ type, code }) => code ?? type)).toEqual([
      'subscribed',
      'subscribed',
      'limit-exceeded',
    ]);
    client.send(pingOf(1_001));
    expect((await client.closed).code).toBe(1009);
  });

  it("[L-9.19] a publication above its topic's limit is refused, from clients and from the application", async () => {
    const { url, live } = await startLiveApp({ platform, providers: [SmallNotes] });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.next();
    await client.request({ type: 'subscribe', id: 1, topic: 'notes/1' });
    const publish = (id: number, data: string) =>
      client.request({ type: 'publish', id, topic: 'notes/1', data });
    expect(await publish(2, 'x'.repeat(99))).toMatchObject({ type: 'error', id: 2, code: 'limit-exceeded' });
    await expect(live.publish('notes/1', 'x'.repeat(99))).rejects.toMatchObject({ code: 'limit-exceeded' });
    expect(await publish(3, 'x'.repeat(98))).toMatchObject({ type: 'published', offset: 1 });
  });

  it.each([
    ['one topic', { topic: 'open/1', maxMessageBytes: 1_024 }],
    ['many topics', { topics: [{ topic: 'open/1', maxMessageBytes: 1_024 }] }],
  ])(
    '[L-9.20] lost replaces a publication that is too large for the client, after a subscribe to %s',
    async (_how, fields) => {
      const { url, live } = await startLiveApp({ platform });
      const client = await LiveTestClient.connect(url, { token: 'ann' });
      await client.next();
      await client.request({ type: 'subscribe', id: 1, ...fields });
      await live.publish('open/1', 'x'.repeat(1_000));
      await live.publish('open/1', 'small');
      expect(await client.next()).toEqual({ type: 'lost', topic: 'open/1', from: 1, to: 1, count: 1 });
      expect(await client.next()).toMatchObject({ type: 'event', offset: 2, data: 'small' });
    },
  );
});

/**
 * A peer over real TCP stops reading: the buffers of the kernel and of the socket fill, then the
 * threshold closes the connection. `src/core/outbound/outbox.spec.ts` proves which frames are
 * dropped.
 */
describe.each(platforms)('9. Peers that do not read, on %s', (_name, platform) => {
  const data = 'x'.repeat(64 * KiB);

  /** A subscribed peer that stops reading, and publications until the server closes it. */
  async function stopReading(options: LiveAppOptions['options'] = {}) {
    const started = await startLiveApp({ platform, options });
    const { app, live, url } = started;
    const slow = await LiveTestClient.connect(url, { token: 'ann' });
    const closed = deferred<[number, string]>();
    const registry = app.get(ConnectionRegistry);
    const [connection] = [...registry];
    await slow.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    slow.socket.pause();
    const reader = await LiveTestClient.connect(url, { token: 'bob' });
    await reader.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    app.get(LiveObservers).add({
      closed: (who, code, reason) => {
        if (who === connection) closed.resolve([code, reason]);
      },
    });
    const open = (): boolean => connection?.open === true;
    let published = 0;
    let maxQueued = 0;
    for (; open() && published < 2_000; published++) {
      await live.publish('open/1', data);
      // One tick to write, and one for the other client to read.
      await new Promise(setImmediate);
      maxQueued = Math.max(maxQueued, live.stats().queuedBytes);
      if (published % 20 === 0) await reader.settle();
    }
    return { ...started, slow, reader, connection, closed, published, maxQueued };
  }

  it('[L-9.2] a connection with more than 1 MiB queued is closed with 1008', async () => {
    const { connection, closed, maxQueued, live } = await stopReading();
    expect(insideOf(connection).closedWith).toEqual({
      code: 1008,
      reason: 'back-pressure threshold exceeded',
    });
    expect(maxQueued).toBeGreaterThan(MiB - 128 * KiB);
    // The total includes what is queued for the peer that reads.
    expect(maxQueued).toBeLessThan(2 * MiB);
    expect(live.stats().subscriptions).toBe(1);
    expect(await closed.promise).toEqual([1008, 'back-pressure threshold exceeded']);
    expect(live.stats()).toMatchObject({ connections: 1, queuedBytes: 0 });
  });

  it('[L-9.2] the options set the back-pressure threshold', async () => {
    const { connection, maxQueued } = await stopReading({ backPressureThresholdBytes: 4 * MiB });
    expect(insideOf(connection).closedWith?.code).toBe(1008);
    expect(maxQueued).toBeGreaterThan(4 * MiB - 128 * KiB);
    expect(maxQueued).toBeLessThan(5 * MiB);
  });

  it('[L-9.2] a peer that does not read does not affect other subscribers', async () => {
    const { reader, published } = await stopReading();
    await reader.settle();
    const offsets = reader.transcript.filter(({ type }) => type === 'event').map(({ offset }) => offset);
    expect(offsets).toEqual(Array.from({ length: published }, (_, i) => i + 1));
  });

  it('[L-9.2] a peer that reads again after being closed finds events without a gap, then the close', async () => {
    const { slow, published } = await stopReading();
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 1008, reason: 'back-pressure threshold exceeded' });
    const offsets = slow.transcript.filter(({ type }) => type === 'event').map(({ offset }) => offset);
    expect(offsets).toEqual(Array.from(offsets, (_, i) => i + 1));
    expect(offsets.length).toBeGreaterThan(0);
    expect(offsets.length).toBeLessThan(published);
  });
});
