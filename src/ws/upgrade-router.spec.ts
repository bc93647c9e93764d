import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { handshake, RawPeer } from '../../test/support/raw-peer.js';
import { routeUpgrades } from './upgrade-router.js';

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface Shared {
  readonly server: Server;
  readonly taken: { readonly url: string | undefined; readonly unfinished: boolean }[];
  readonly route: () => () => void;
  /** Sends a handshake and returns the status of the answer. */
  readonly sendHandshake: (path: string) => Promise<number>;
}

/**
 * An HTTP server shared with others. Each party answers with a status of its own, so that a test
 * can tell them apart.
 */
async function sharedServer(): Promise<Shared> {
  const server = createServer((_request, response) => response.end('app'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const taken: Shared['taken'][number][] = [];
  const route = (): (() => void) =>
    routeUpgrades(server, '/live', ({ url }, socket, _head, unfinished) => {
      taken.push({ url, unfinished });
      socket.on('error', () => {});
      socket.end('HTTP/1.1 299 Live\r\n\r\n');
    });
  const sendHandshake = async (path: string): Promise<number> => {
    const peer = await RawPeer.connect(port);
    const status = await peer.send(handshake({ line: `GET ${path} HTTP/1.1` })).answered();
    peer.socket.destroy();
    return status;
  };
  return { server, taken, route, sendHandshake };
}

const answering =
  (status: number): UpgradeListener =>
  (_request, socket) =>
    socket.end(`HTTP/1.1 ${String(status)} Other\r\n\r\n`);

describe('routeUpgrades', () => {
  it('routeUpgrades takes its own path, with a query or a slash at the end, and nothing else', async () => {
    const { server, route, sendHandshake, taken } = await sharedServer();
    server.on('upgrade', answering(298));
    route();
    const paths = [
      '/live',
      '/live/',
      '/live?token=1',
      'http://a/live',
      '/other',
      '/',
      '//',
      '/live/more',
      '/LIVE',
      '/livelive',
    ];
    const statuses: number[] = [];
    for (const path of paths) statuses.push(await sendHandshake(path));
    expect(statuses).toEqual([299, 299, 299, 299, 298, 298, 298, 298, 298, 298]);
    expect(taken.map(({ url }) => url)).toEqual(['/live', '/live/', '/live?token=1', 'http://a/live']);
  });

  it('[L-1.8] another path is answered with 404 if there is no other listener', async () => {
    const { route, sendHandshake } = await sharedServer();
    route();
    expect([await sendHandshake('/other'), await sendHandshake('/live')]).toEqual([404, 299]);
  });

  it('no other listener sees upgrades of the own path, even one that came later or listens once', async () => {
    const { server, route, sendHandshake } = await sharedServer();
    const seen: (string | undefined)[] = [];
    const recordAs =
      (name: string): UpgradeListener =>
      ({ url }, socket) => {
        seen.push(`${name} ${url ?? ''}`);
        if (name === 'before') socket.end('HTTP/1.1 298 Other\r\n\r\n');
      };
    server.on('upgrade', recordAs('before'));
    route();
    server.on('upgrade', recordAs('after'));
    server.prependListener('upgrade', recordAs('first'));
    server.once('upgrade', recordAs('once'));
    expect([
      await sendHandshake('/live'),
      await sendHandshake('/other'),
      await sendHandshake('/live'),
    ]).toEqual([299, 298, 299]);
    expect(seen).toEqual(['first /other', 'before /other', 'after /other', 'once /other']);
  });

  it('other listeners can be removed, and other events pass unchanged', async () => {
    const { server, route, sendHandshake } = await sharedServer();
    route();
    const other = answering(298);
    server.on('upgrade', other);
    expect(await sendHandshake('/other')).toBe(298);
    server.off('upgrade', other);
    expect(await sendHandshake('/other')).toBe(404);
    const heard: unknown[] = [];
    server.on('a custom event', (...args: unknown[]) => heard.push(...args));
    expect([server.emit('a custom event', 1, 2), heard, server.emit('nobody hears')]).toEqual([
      true,
      [1, 2],
      false,
    ]);
    const { port } = server.address() as AddressInfo;
    expect(await (await fetch(`http://127.0.0.1:${String(port)}/live`)).text()).toBe('app');
  });

  it('the WebSocket server of another library on the same HTTP server keeps working', async () => {
    const { server, route, sendHandshake } = await sharedServer();
    const { port } = server.address() as AddressInfo;
    const other = new WebSocketServer({ server, path: '/other' });
    onTestFinished(() => other.close());
    other.on('connection', (ws) => ws.on('message', (data: Buffer) => ws.send(`other: ${data.toString()}`)));
    route();
    const client = new WebSocket(`ws://127.0.0.1:${String(port)}/other`);
    const answer = new Promise((resolve) => client.on('message', (data: Buffer) => resolve(data.toString())));
    client.on('open', () => client.send('hello'));
    expect([await answer, await sendHandshake('/live')]).toEqual(['other: hello', 299]);
    client.terminate();
  });

  it('unrouting restores the server, even if another library has replaced emit since', async () => {
    const { server, route, sendHandshake, taken } = await sharedServer();
    const { emit } = server;
    const unroute = route();
    const mine = server.emit;
    let passed = 0;
    server.emit = (event: string, ...args: unknown[]) => {
      passed += 1;
      return Reflect.apply(mine, server, [event, ...args]) as boolean;
    };
    expect(await sendHandshake('/live')).toBe(299);
    unroute();
    server.on('upgrade', answering(298));
    expect([await sendHandshake('/live'), taken.length, passed > 0]).toEqual([298, 1, true]);
    server.emit = mine;
    expect(await sendHandshake('/live')).toBe(298);
    expect([server.listenerCount('upgrade'), server.listenerCount('request')]).toEqual([1, 1]);
    delete (server as { emit?: unknown }).emit;
    expect(server.emit).toBe(emit);
  });

  it('a path can be routed again after unrouting', async () => {
    const { server, route, sendHandshake } = await sharedServer();
    route()();
    route()();
    expect(server.listenerCount('upgrade')).toBe(0);
    route();
    expect([await sendHandshake('/live'), await sendHandshake('/other')]).toEqual([299, 404]);
  });

  it('[L-1.5] an upgrade behind an unanswered request on the same socket is marked as unfinished', async () => {
    const { server, route, taken } = await sharedServer();
    route();
    let answer = (): void => {};
    server.removeAllListeners('request');
    const unroute = route();
    server.on('request', (_request, response) => {
      answer = () => response.end('late');
    });
    const { port } = server.address() as AddressInfo;
    const peer = await RawPeer.connect(port);
    peer.send(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${handshake()}`);
    await peer.answered();
    answer();
    await peer.closed;
    expect([taken, peer.status]).toEqual([[{ url: '/live', unfinished: true }], 299]);
    unroute();
  });

  it('[L-1.5] an upgrade behind an answered request is not marked as unfinished', async () => {
    const { route, server, taken } = await sharedServer();
    route();
    const { port } = server.address() as AddressInfo;
    const peer = await RawPeer.connect(port);
    await peer.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n').until(({ text }) => text.endsWith('app'));
    peer.send(handshake());
    await peer.until(({ text }) => text.includes('299'));
    expect(taken).toEqual([{ url: '/live', unfinished: false }]);
  });
});
