import { describe, expect, it } from 'vitest';
import { ConnectionRegistry, LiveObservers, LiveTopic } from '../src/index.js';
import { LiveMetrics, LiveMetricsModule } from '../src/nest/metrics/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { deferred } from './support/deferred.js';
import { type LiveAppOptions, type Platform, platforms, startLiveApp } from './support/live-app.js';
import { closeOf, frame, Opcode, texts, WirePeer } from './support/wire-peer.js';

const KiB = 1024;
const MiB = 1024 * KiB;

async function start(platform: Platform, setup: LiveAppOptions = {}) {
  const app = await startLiveApp({ platform, ...setup });
  return { ...app, peer: await WirePeer.open(app.url) };
}

/** A ping of exactly so many bytes of JSON. */
const pingOf = (bytes: number): string => {
  const empty = '{"type":"ping","id":1,"padding":""}';
  return `${empty.slice(0, -2)}${'x'.repeat(bytes - empty.length)}"}`;
};
const pong = { type: 'pong', id: 1 };

/** One text message in so many frames. */
function inFragments(message: object, count: number): Buffer {
  const text = JSON.stringify(message);
  const piece = (i: number): string =>
    text.slice(Math.floor((i * text.length) / count), Math.floor(((i + 1) * text.length) / count));
  const frames = Array.from({ length: count }, (_, i) =>
    frame(i === 0 ? Opcode.text : Opcode.continuation, piece(i), i === count - 1),
  );
  return Buffer.concat(frames);
}

describe.each(platforms)('9. Messages that are too large, on %s', (_name, platform) => {
  it('[L-9.1] takes a message of 64 KiB, and closes with 1009 on one byte more', async () => {
    const { peer } = await start(platform);
    peer.send(frame(Opcode.text, pingOf(64 * KiB)));
    expect(await peer.message()).toEqual(pong);
    peer.send(frame(Opcode.text, pingOf(64 * KiB + 1)));
    expect(closeOf(await peer.frame()).code).toBe(1009);
  });

  it('[L-9.1] counts the message, not its frames', async () => {
    const { peer } = await start(platform);
    const half = 'x'.repeat(40 * KiB);
    peer.send(frame(Opcode.text, half, false), frame(Opcode.continuation, half));
    expect(closeOf(await peer.frame()).code).toBe(1009);
  });

  it('[L-9.1] counts bytes, not letters', async () => {
    const { peer } = await start(platform);
    peer.send(frame(Opcode.text, JSON.stringify({ type: 'ping', padding: '€'.repeat(22 * KiB) })));
    expect(closeOf(await peer.frame()).code).toBe(1009);
  });

  it('[L-9.1] closes on the announcement, before the bytes have come', async () => {
    const { peer } = await start(platform);
    peer.send(frame(Opcode.text, 'x'.repeat(100 * KiB)).subarray(0, 14));
    expect(closeOf(await peer.frame()).code).toBe(1009);
  });

  it('[L-9.1] takes a message of 32 fragments, and closes with 1008 on one of 33', async () => {
    const { peer } = await start(platform);
    const message = { type: 'ping', id: 1, padding: 'x'.repeat(50) };
    peer.send(inFragments(message, 32));
    expect(await peer.message()).toEqual(pong);
    peer.send(inFragments(message, 33));
    expect(closeOf(await peer.frame()).code).toBe(1008);
  });

  it('[L-9.1] counts the codes of those closes', async () => {
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
  it('[L-9.3] says in the welcome what it holds this client to', async () => {
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

  it('[L-9.19] refuses a publication that is larger than its topic allows, to clients and to the application', async () => {
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
    ['one', { topic: 'open/1', maxMessageBytes: 1_024 }],
    ['many', { topics: [{ topic: 'open/1', maxMessageBytes: 1_024 }] }],
  ])('[L-9.20] sends lost in the place of what is too large, to a subscribe to %s', async (_how, fields) => {
    const { url, live } = await startLiveApp({ platform });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.next();
    await client.request({ type: 'subscribe', id: 1, ...fields });
    await live.publish('open/1', 'x'.repeat(1_000));
    await live.publish('open/1', 'small');
    expect(await client.next()).toEqual({ type: 'lost', topic: 'open/1', from: 1, to: 1, count: 1 });
    expect(await client.next()).toMatchObject({ type: 'event', offset: 2, data: 'small' });
  });
});

/**
 * Slow readers: a peer over real TCP whose socket has stopped reading. What it proves is the whole way: the kernel's
 * buffers fill, then the socket's, then the threshold ends the connection; and that the memory held is bounded. When
 * exactly which frames are dropped is proved with a slow `TestSocket` in `src/core/outbound/outbox.spec.ts`.
 */
describe.each(platforms)('9. Peers that do not read, on %s', (_name, platform) => {
  const data = 'x'.repeat(64 * KiB);

  /** A subscribed peer that has stopped reading, and publications until the server has had enough of it. */
  async function stopReading(options: LiveAppOptions['options'] = {}) {
    const started = await start(platform, { options });
    const { app, live, peer, url } = started;
    const closed = deferred<[number, string]>();
    const registry = app.get(ConnectionRegistry);
    const [connection] = [...registry];
    peer.send(texts({ type: 'subscribe', id: 1, topic: 'open/1' }));
    await peer.message();
    peer.socket.pause();
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
      // The tick in which it is written, and the one in which the other has read it.
      await new Promise(setImmediate);
      maxQueued = Math.max(maxQueued, live.stats().queuedBytes);
      if (published % 20 === 0) await reader.settle();
    }
    return { ...started, reader, connection, closed, published, maxQueued };
  }

  it('[L-9.2] closes with 1008 a connection that has more than 1 MiB waiting', async () => {
    const { connection, closed, maxQueued, live } = await stopReading();
    expect(connection?.closedWith).toEqual({ code: 1008, reason: 'back-pressure threshold exceeded' });
    expect(maxQueued).toBeGreaterThan(MiB - 128 * KiB);
    // Beside what waits for the peer that reads.
    expect(maxQueued).toBeLessThan(2 * MiB);
    expect(live.stats().subscriptions).toBe(1);
    expect(await closed.promise).toEqual([1008, 'back-pressure threshold exceeded']);
    expect(live.stats()).toMatchObject({ connections: 1, queuedBytes: 0 });
  });

  it('[L-9.2] takes the threshold from the options', async () => {
    const { connection, maxQueued } = await stopReading({ backPressureThresholdBytes: 4 * MiB });
    expect(connection?.closedWith?.code).toBe(1008);
    expect(maxQueued).toBeGreaterThan(4 * MiB - 128 * KiB);
    expect(maxQueued).toBeLessThan(5 * MiB);
  });

  it('[L-9.2] leaves the others alone', async () => {
    const { reader, published } = await stopReading();
    await reader.settle();
    const offsets = reader.transcript.filter(({ type }) => type === 'event').map(({ offset }) => offset);
    expect(offsets).toEqual(Array.from({ length: published }, (_, i) => i + 1));
  });

  it('[L-9.2] drops what waits: a peer that reads again finds events without a gap, then the close', async () => {
    const { peer, published } = await stopReading();
    peer.socket.resume();
    let offset = 0;
    for (;;) {
      const next = await peer.frame();
      if (next.opcode === Opcode.close) {
        expect(closeOf(next)).toEqual({ code: 1008, reason: 'back-pressure threshold exceeded' });
        break;
      }
      expect((JSON.parse(next.payload.toString()) as { offset: number }).offset).toBe((offset += 1));
    }
    expect(offset).toBeLessThan(published);
  });
});
