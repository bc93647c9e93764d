import { describe, expect, it } from 'vitest';
import { clientFrame, handshake, type RawPeer } from '../../test/support/raw-peer.js';
import { TestUpgradeServer } from '../../test/support/test-upgrade-server.js';
import type { Session } from '../core/inbound/session.js';
import type { ServedWebSocket } from './served-web-socket.js';

async function served(session?: Partial<Session>): Promise<{ ws: ServedWebSocket; peer: RawPeer }> {
  const test = await TestUpgradeServer.start({
    accepted: (ws) => {
      if (session !== undefined) ws.serve(session as Session);
    },
  });
  const peer = await test.connect(true);
  await peer.send(handshake()).answered();
  const [ws] = test.sockets;
  if (ws === undefined) throw new Error('Nobody was let in');
  return { ws, peer };
}

describe('ServedWebSocket', () => {
  it('tells its session alone, and has no listener for that', async () => {
    let heard: (what: unknown) => void = () => {};
    const told = new Promise((resolve) => (heard = resolve));
    const { ws, peer } = await served({
      received: (text, byteLength) => heard({ text, byteLength }),
      finished: () => {},
    });
    const listened: unknown[] = [];
    ws.on('message', (data) => listened.push(data));
    peer.send(clientFrame('Zoë'));
    expect(await told).toEqual({ text: 'Zoë', byteLength: 4 });
    expect(listened).toEqual([]);
  });

  it('is a WebSocket as any other as long as it serves nobody', async () => {
    const { ws, peer } = await served();
    const heard = new Promise((resolve) => void ws.on('message', (data: Buffer) => resolve(data.toString())));
    peer.send(clientFrame('hello'));
    expect(await heard).toBe('hello');
  });

  it('outlives an error that nobody listens to, and tells who does', async () => {
    const { ws } = await served();
    expect(ws.emit('error', new Error('no'))).toBe(false);
    const heard: unknown[] = [];
    ws.on('error', ({ message }) => heard.push(message));
    expect(ws.emit('error', new Error('yes'))).toBe(true);
    expect(heard).toEqual(['yes']);
  });
});
