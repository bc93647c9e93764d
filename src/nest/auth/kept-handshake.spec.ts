import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { credentialOf } from './credentials.js';
import { KeptHandshake } from './kept-handshake.js';

const handshakeOf = (url: string, rawHeaders: string[]): IncomingMessage =>
  Object.assign(new IncomingMessage(new Socket()), { url, rawHeaders });

describe('KeptHandshake', () => {
  it('[L-7.7] a kept handshake is restored with the new token and without the old one, wherever that was', () => {
    const request = handshakeOf('/live?region=north', [
      'Host',
      'live.example',
      'AUTHORIZATION',
      'Bearer old-token',
      'Cookie',
      'sid=1; live_token=old-token; b=2',
      'Sec-WebSocket-Protocol',
      'live.v1, bearer.old-token',
      'X-Tenant',
      'north',
      'x-tenant',
      'south',
      'Sec-WebSocket-Key',
      'dGhlIHNhbXBsZSBub25jZQ==',
    ]);
    const kept = new KeptHandshake(request);
    const again = kept.requestWith('new-token', 'sid=1; live_token=old-token; b=2');
    expect([again.method, again.url, again.socket]).toEqual(['GET', '/live?region=north', request.socket]);
    expect(again.headers).toEqual({
      host: 'live.example',
      cookie: 'sid=1; b=2',
      'sec-websocket-protocol': 'live.v1',
      'x-tenant': 'north, south',
      authorization: 'Bearer new-token',
    });
    expect(credentialOf(again)).toEqual({ token: 'new-token', source: 'header' });
    expect(JSON.stringify([again.headers, again.rawHeaders, { ...kept, socket: undefined }])).not.toContain(
      'old-token',
    );
  });

  it('[L-7.7] lists that contained only the old token are left out', () => {
    const request = handshakeOf('/live', ['Sec-WebSocket-Protocol', 'bearer.old']);
    expect(new KeptHandshake(request).requestWith('new', ' live_token=old').headers).toEqual({
      authorization: 'Bearer new',
    });
  });
});
