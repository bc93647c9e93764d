import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { handshake, RawPeer } from '../../test/support/raw-peer.js';
import { LiveHttpServer } from './live-http-server.js';
import { Refusal, refuse } from './refusal.js';
import { SilentSockets } from './silent-sockets.js';

/** A server with a maximum of silent sockets, which leaves upgraded ones alone. */
async function start(most: number) {
  const silent = new SilentSockets(most);
  const seen: Duplex[] = [];
  const { connected } = silent;
  Object.assign(silent, {
    connected: (socket: Duplex) => {
      connected(socket);
      seen.push(socket);
    },
  });
  const dropped = { count: 0 };
  const server = new LiveHttpServer(
    (_request, socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n');
      socket.resume();
      upgraded.push(() => refuse(socket, new Refusal(503, 'The test is over')));
    },
    { takeRequest: () => false, refused() {}, droppedSilent: () => (dropped.count += 1) },
    undefined,
    undefined,
    silent,
  );
  const upgraded: (() => void)[] = [];
  const { port } = await server.listen(0, '127.0.0.1');
  onTestFinished(async () => {
    for (const end of upgraded) end();
    await server.close();
  });
  const connect = async (): Promise<RawPeer> => {
    const { length } = seen;
    const peer = await RawPeer.connect(port);
    while (seen.length === length) await sleep(1);
    return peer;
  };
  return { silent, dropped, connect };
}

describe('SilentSockets', () => {
  it('[L-1.1] the number of silent sockets is bounded: the oldest is closed, and newcomers are served', async () => {
    const { silent, dropped, connect } = await start(3);
    const peers: RawPeer[] = [];
    for (let i = 0; i < 5; i++) peers.push(await connect());
    await Promise.all([peers[0]?.closed, peers[1]?.closed]);
    expect([silent.count, dropped.count]).toEqual([3, 2]);
    expect(await peers[4]?.send(handshake()).answered()).toBe(101);
    expect(peers.slice(2).map(({ socket }) => socket.destroyed)).toEqual([false, false, false]);
    expect(silent.count).toBe(2);
  });

  it('sockets that sent a request or left do not count as silent', async () => {
    const { silent, connect } = await start(2);
    const asked = await connect();
    expect(await asked.send(handshake()).answered()).toBe(101);
    const left = await connect();
    left.socket.destroy();
    while (silent.count > 0) await sleep(1);
    for (let i = 0; i < 4; i++) await connect();
    expect([silent.count, asked.socket.destroyed]).toEqual([2, false]);
    const answered = await connect();
    expect(await answered.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').answered()).toBe(404);
    expect(silent.count).toBeLessThanOrEqual(2);
  });

  it('[L-1.1] an upgraded socket keeps no listener of the silent sockets', async () => {
    const { silent, connect } = await start(2);
    const listeners: number[] = [];
    const asked = silent.asked.bind(silent);
    silent.asked = (socket) => {
      const before = socket.listenerCount('close');
      asked(socket);
      listeners.push(before - socket.listenerCount('close'));
    };
    await (await connect()).send(handshake()).answered();
    expect(listeners).toEqual([1]);
  });
});
