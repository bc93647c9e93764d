import { describe, expect, it, onTestFinished } from 'vitest';
import { ConnectionRegistry, LiveObservers, type LiveModuleOptions } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { onStreams } from '../support/door.js';
import { platforms, startLiveApp } from '../support/live-app.js';
import { RawPeer } from './support/raw-peer.js';
import { insideOf } from '../support/inside-of.js';

/**
 * Uncaught errors and rejections, which would have ended the process, until the test has finished.
 */
function strays(): unknown[] {
  const seen: unknown[] = [];
  const stray = (error: unknown): void => {
    seen.push(error);
  };
  process.on('uncaughtException', stray);
  process.on('unhandledRejection', stray);
  onTestFinished(() => {
    process.off('uncaughtException', stray);
    process.off('unhandledRejection', stray);
  });
  return seen;
}

describe.each(platforms)('What peers do, on %s', (_name, platform) => {
  const start = async (options: LiveModuleOptions = {}) => {
    const { app, live, url } = await startLiveApp({ platform, options });
    const inbound: string[] = [];
    app.get(LiveObservers).add({ inbound: (type) => inbound.push(type) });
    const connect = async (token = 'ann') => {
      const client = await LiveTestClient.connect(url, { token });
      await client.next();
      return client;
    };
    const connectRaw = async () => {
      const peer = await RawPeer.connect(url);
      peer.upgrade('/live', ['Authorization: Bearer raw']);
      await peer.until('"welcome"');
      return peer;
    };
    return { live, inbound, connect, connectRaw, registry: app.get(ConnectionRegistry) };
  };

  it('[S9] [L-2.2] an invalid message gets protocol-violation, counts as invalid, and the connection stays open', async () => {
    const { inbound, connect } = await start();
    const client = await connect();
    // A line of a POST is never empty.
    const bad = [
      ...(onStreams ? [] : ['']),
      'text',
      '{',
      '[]',
      '"subscribe"',
      '7',
      'null',
      '{}',
      '{"type":7}',
      '{"type":null}',
    ];
    for (const text of bad) client.send(text);
    expect(await client.settle()).toEqual(
      bad.map(() => ({
        type: 'error',
        code: 'protocol-violation',
        message: 'Invalid message envelope',
      })),
    );
    expect(inbound).toEqual([...bad.map(() => 'invalid'), 'ping']);
  });

  it('[S11] [L-8.1] pings are frames: a client sees no message, answers, and stays connected', async () => {
    const { connect, registry } = await start({ pingIntervalMs: 20, pongTimeoutMs: 200 });
    const client = await connect();
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => {
        client.socket.once('ping', resolve);
      });
    }
    expect(client.transcript.map(({ type }) => type)).toEqual(['welcome']);
    expect(registry.size).toBe(1);
  });

  it('[S12] [L-9.2] a client with more unread bytes than the threshold is closed with 1008, and no other client', async () => {
    const { live, connect, connectRaw, registry } = await start({ backPressureThresholdBytes: 100_000 });
    const reader = await connect('reader');
    await reader.request({ type: 'subscribe', id: 1, topic: 'open/1' });
    const slow = await connectRaw();
    slow.send('{"type":"subscribe","id":1,"topic":"open/1"}');
    await slow.until('"subscribed"');
    slow.socket.pause();
    const [connection] = registry.ofUser('raw');
    let published = 0;
    const end = () => insideOf(connection).closedWith;
    while (end() === undefined) {
      await live.publish('open/1', 'x'.repeat(20_000));
      published += 1;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    expect(end()).toEqual({ code: 1008, reason: 'back-pressure threshold exceeded' });
    expect(registry.ofTopic('open/1')).toHaveLength(1);
    const events = (await reader.settle()).filter(({ type }) => type === 'event');
    expect(events.map(({ offset }) => offset)).toEqual(Array.from({ length: published }, (_, i) => i + 1));
    slow.socket.resume();
    await slow.until('\x88\x22\x03\xf0back-pressure threshold exceeded');
  });

  it('[S12] nothing is sent to a connection that is closing', async () => {
    const { connect, registry } = await start();
    const client = await connect();
    const [connection] = registry;
    connection?.close(4_500, 'over');
    connection?.send({ type: 'late' });
    expect(await client.closed).toEqual({ code: 4_500, reason: 'over' });
    connection?.send({ type: 'later' });
    expect(client.transcript.map(({ type }) => type)).toEqual(['welcome']);
  });

  it.each<[string, (peer: RawPeer) => void]>([
    ['a reset', (peer) => peer.socket.resetAndDestroy()],
    ['a FIN', (peer) => peer.socket.end()],
    ['bytes that are no frames', (peer) => peer.socket.write(Buffer.alloc(64, 0xff))],
    ['a frame that is not masked', (peer) => peer.socket.write(Buffer.from([0x81, 0x01, 0x78]))],
    ['text that is no UTF-8', (peer) => peer.socket.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]))],
    [
      'half a frame and a reset',
      (peer) => {
        peer.socket.write(Buffer.from([0x81, 0xfe, 0x10]), () => peer.socket.resetAndDestroy());
      },
    ],
    [
      'a close frame with a bad code',
      (peer) => peer.socket.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed])),
    ],
  ])(
    '[S15] %s ends its own connection, but neither the process nor another client',
    async (_what, misbehave) => {
      const seen = strays();
      const { connect, connectRaw, registry } = await start();
      const healthy = await connect();
      const peer = await connectRaw();
      misbehave(peer);
      await expect.poll(() => registry.ofUser('raw')).toHaveLength(0);
      expect(await healthy.request({ type: 'ping', id: 1 })).toEqual({ type: 'pong', id: 1 });
      expect(registry.size).toBe(1);
      expect(seen).toEqual([]);
    },
  );
});
