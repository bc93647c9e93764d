import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LiveObservers } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { itOnSockets } from './support/door.js';
import { deferred } from './support/deferred.js';
import { platforms, startLiveApp } from './support/live-app.js';
import { ShiftedClock } from './support/shifted-clock.js';
import { frame, Opcode, WirePeer } from './support/wire-peer.js';

const short = { pingIntervalMs: 50, pongTimeoutMs: 60 };

/** A client that does not answer pings by itself. */
async function mute(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url, { autoPong: false, headers: { authorization: 'Bearer ann' } });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

const pings = (socket: WebSocket, count: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let left = count;
    socket.on('ping', () => {
      if (--left === 0) resolve();
    });
    socket.once('close', (code: number) => reject(new Error(`It was closed with ${String(code)}`)));
  });

describe.each(platforms)('8. Heartbeat, on %s', (_name, platform) => {
  // Pings of a stream are events, which a POST answers [L-12.5].
  itOnSockets('[L-8.1] the server pings once per ping interval, with opcode 9', async () => {
    const { url } = await startLiveApp({ platform, options: short });
    const peer = await WirePeer.open(url);
    const opcodes = [];
    const since = performance.now();
    for (let i = 0; i < 5; i++) {
      const { opcode, payload } = await peer.frame();
      opcodes.push([opcode, payload.byteLength]);
      peer.send(frame(Opcode.pong, payload));
    }
    expect(opcodes).toEqual(Array.from({ length: 5 }, () => [Opcode.ping, 0]));
    // Five pings have four intervals between them. A busy machine stretches them, but never
    // shortens them.
    expect(performance.now() - since).toBeGreaterThan(4 * 50 - 50);
  });

  it('[L-8.1] the default ping interval is 25 seconds', async () => {
    const { url } = await startLiveApp({ platform });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    expect(await client.next()).toMatchObject({ limits: { pingIntervalMs: 25_000 } });
  });

  itOnSockets('[L-8.1] the first ping comes after a random part of the interval', async () => {
    const clock = new ShiftedClock();
    const options = { pingIntervalMs: 3_600_000 };
    const { url } = await startLiveApp({ platform, options, override: clock.install });
    let latePings = 0;
    clock.chance = 0.9;
    (await mute(url)).on('ping', () => (latePings += 1));
    clock.chance = 1e-7;
    await pings(await mute(url), 1);
    expect(latePings).toBe(0);
  });

  itOnSockets(
    '[L-8.2] a peer that stays silent after a ping is terminated without a close frame',
    async () => {
      const { url, app } = await startLiveApp({ platform, options: short });
      const ended = deferred<unknown>();
      app.get(LiveObservers).add({ closed: (_connection, code, reason) => ended.resolve([code, reason]) });
      const peer = await WirePeer.open(url);
      const frames = await peer.rest();
      expect(new Set(frames.map(({ opcode }) => opcode))).toEqual(new Set([Opcode.ping]));
      expect(await ended.promise).toEqual([4001, 'no pong']);
    },
  );

  itOnSockets('[L-8.2] a peer that is terminated for silence sees code 1006', async () => {
    const { url } = await startLiveApp({ platform, options: short });
    const socket = await mute(url);
    const [code, reason] = await new Promise<[number, string]>((resolve) => {
      socket.once('close', (closeCode, words) => resolve([closeCode, words.toString()]));
    });
    expect([code, reason]).toEqual([1006, '']);
  });

  itOnSockets(
    '[L-8.2] time in which the server itself was blocked does not count against a peer',
    async () => {
      const { url } = await startLiveApp({ platform, options: short });
      const socket = await mute(url);
      const still = new Int32Array(new SharedArrayBuffer(4));
      let stalls = 0;
      socket.on('ping', () => {
        // Server and client share this thread: both block for longer than the timeout, then pong.
        if (stalls++ < 3) Atomics.wait(still, 0, 0, 200);
        socket.pong();
      });
      await pings(socket, 6);
      expect(socket.readyState).toBe(WebSocket.OPEN);
    },
  );

  it('[L-8.2] a peer that answers pings stays connected', async () => {
    const { url } = await startLiveApp({ platform, options: short });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await pings(client.socket, 6);
    expect((await client.settle()).map(({ type }) => type)).toEqual(['welcome']);
  });

  itOnSockets.each<[string, (socket: WebSocket) => void]>([
    ['a message', (socket) => socket.send('{"type":"ping"}')],
    ['an invalid message', (socket) => socket.send('?')],
    ['a ping', (socket) => socket.ping('are you there?')],
    ['a pong that answers nothing', (socket) => socket.pong('unasked')],
  ])('[L-8.3] %s counts as a sign of life', async (_what, show) => {
    const { url } = await startLiveApp({ platform, options: short });
    const socket = await mute(url);
    socket.on('ping', () => show(socket));
    await pings(socket, 6);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });
});
