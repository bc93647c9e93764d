import { describe, expect, it } from 'vitest';
import { clientFrame, handshake, type RawPeer } from '../../test/support/raw-peer.js';
import { TestUpgradeServer } from '../../test/support/test-upgrade-server.js';
import type { Session } from '../core/inbound/session.js';
import type { ServedWebSocket } from './ws-socket.js';

async function served(session?: Partial<Session>): Promise<{ ws: ServedWebSocket; peer: RawPeer }> {
  const test = await TestUpgradeServer.start({
    accepted: (ws) => {
      if (session !== undefined) ws.serve(session as Session);
    },
  });
  const peer = await test.connect(true);
  await peer.send(handshake()).answered();
  const [ws] = test.sockets;
  if (ws === undefined) throw new Error('No connection was accepted');
  return { ws, peer };
}

describe('ServedWebSocket', () => {
  it('events go to the session alone, without a listener', async () => {
    let heard: (what: unknown) => void = () => {};
    const received = new Promise((resolve) => (heard = resolve));
    const { ws, peer } = await served({
      received: (text, byteLength) => heard({ text, byteLength }),
      finished: () => {},
    });
    const listened: unknown[] = [];
    ws.on('message', (data) => listened.push(data));
    peer.send(clientFrame('Zoë'));
    expect(await received).toEqual({ text: 'Zoë', byteLength: 4 });
    expect(listened).toEqual([]);
  });

  it('a socket without a session emits events as any WebSocket', async () => {
    const { ws, peer } = await served();
    const heard = new Promise((resolve) => void ws.on('message', (data: Buffer) => resolve(data.toString())));
    peer.send(clientFrame('hello'));
    expect(await heard).toBe('hello');
  });

  it('an error without a listener is ignored, and one with a listener is emitted', async () => {
    const { ws } = await served();
    expect(ws.emit('error', new Error('no'))).toBe(false);
    const heard: unknown[] = [];
    ws.on('error', ({ message }) => heard.push(message));
    expect(ws.emit('error', new Error('yes'))).toBe(true);
    expect(heard).toEqual(['yes']);
  });
});
