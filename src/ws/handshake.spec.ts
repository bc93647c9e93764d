import { describe, expect, it } from 'vitest';
import { handshake, rightHeaders } from '../../test/support/raw-peer.js';
import { TestUpgradeServer } from '../../test/support/test-upgrade-server.js';

const without = (name: string): string => handshake({ headers: { [name]: undefined } });
const having = (name: string, value: string): string => handshake({ headers: { [name]: value } });
const twice = (name: string, value = rightHeaders[name] ?? ''): string =>
  handshake({ more: [`${name}: ${value}`] });
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${String(i)}: y`);
const key = (value: string): string => having('Sec-WebSocket-Key', value);

/** What is sent, and the status of the answer; 0 where the socket is cut off, or answered nothing, without a 101. */
const handshakes: readonly (readonly [clause: string, what: string, text: string, status: number])[] = [
  ['L-1.1', 'a right one', handshake(), 101],
  ['L-1.1', 'one with a query', handshake({ line: 'GET /live?x=1 HTTP/1.1' }), 101],
  ['L-1.1', 'one with an absolute target', handshake({ line: 'GET http://a:80/live?x HTTP/1.1' }), 101],
  ['L-1.1', 'one with an absolute wss target', handshake({ line: 'GET WSS://[::1]/live/ HTTP/1.1' }), 101],
  ['L-1.1', 'one with a slash at the end', handshake({ line: 'GET /live/ HTTP/1.1' }), 101],
  ['L-1.1', 'one in other letter cases', having('Upgrade', 'WebSocket'), 101],
  ['L-1.1', 'one with many tokens in Connection', having('Connection', 'keep-alive, Upgrade'), 101],
  ['L-1.1', 'one from an IPv6 host', having('Host', '[::1]:8081'), 101],
  ['L-1.1', 'one with Content-Length: 0', having('Content-Length', '0'), 101],
  ['L-1.1', 'one with nobody called __proto__', handshake({ more: ['__proto__: x', 'constructor: y'] }), 101],
  [
    'L-1.1',
    'one that offers deflate, which is not taken',
    having('Sec-WebSocket-Extensions', 'permessage-deflate'),
    101,
  ],
  ['L-1.1', 'a plain GET', 'GET /live HTTP/1.1\r\nHost: a\r\n\r\n', 404],
  ['L-1.8', 'an Upgrade without Connection', without('Connection'), 426],
  ['L-1.8', 'a Connection without Upgrade', without('Upgrade'), 426],
  [
    'L-1.8',
    'a handshake over HTTP/1.0 without Upgrade',
    handshake({ line: 'GET /live HTTP/1.0', headers: { Upgrade: undefined } }),
    426,
  ],
  [
    'L-1.1',
    'another path without Upgrade',
    handshake({ line: 'GET / HTTP/1.1', headers: { Upgrade: undefined } }),
    404,
  ],
  ['L-1.5', 'POST', handshake({ line: 'POST /live HTTP/1.1' }), 400],
  ['L-1.5', 'HEAD', handshake({ line: 'HEAD /live HTTP/1.1' }), 400],
  ['L-1.5', 'an unknown method', handshake({ line: 'GOT /live HTTP/1.1' }), 400],
  ['L-1.5', 'HTTP/1.0', handshake({ line: 'GET /live HTTP/1.0' }), 400],
  ['L-1.5', 'HTTP/2.0', handshake({ line: 'GET /live HTTP/2.0' }), 400],
  ['L-1.5', 'HTTP/9.9', handshake({ line: 'GET /live HTTP/9.9' }), 400],
  ['L-1.5', 'no HTTP version', handshake({ line: 'GET /live' }), 400],
  ['L-1.5', 'h2c', having('Upgrade', 'h2c'), 400],
  ['L-1.5', 'two protocols in Upgrade', having('Upgrade', 'websocket, h2c'), 400],
  ['L-1.5', 'a second Upgrade', twice('Upgrade'), 400],
  ['L-1.5', 'no key', without('Sec-WebSocket-Key'), 400],
  ['L-1.5', 'an empty key', key(''), 400],
  ['L-1.5', 'a key that is too short', key('c2hvcnQ='), 400],
  ['L-1.5', 'a key that is too long', key('dGhlIHNhbXBsZSBub25jZSB0b28gbG9uZw=='), 400],
  ['L-1.5', 'a key that is no base64', key('!!!!!!!!!!!!!!!!!!!!!!=='), 400],
  ['L-1.5', 'a second key', twice('Sec-WebSocket-Key'), 400],
  ['L-1.5', 'no Host', without('Host'), 400],
  ['L-1.5', 'an empty Host', having('Host', ''), 400],
  ['L-1.5', 'a Host that URL would throw at', having('Host', '['), 400],
  ['L-1.5', 'a Host with a path', having('Host', 'a/b'), 400],
  ['L-1.5', 'a Host with a user', having('Host', 'user@a'), 400],
  ['L-1.5', 'a second Host', twice('Host'), 400],
  [
    'L-1.5',
    'an absolute target without Host',
    handshake({ line: 'GET http://a/live HTTP/1.1', headers: { Host: undefined } }),
    400,
  ],
  ['L-1.5', 'an absolute target with a bad host', handshake({ line: 'GET http://[/live HTTP/1.1' }), 400],
  ['L-1.5', 'an absolute target with no host', handshake({ line: 'GET http:///live HTTP/1.1' }), 400],
  ['L-1.5', 'an absolute target with a user', handshake({ line: 'GET http://u:p@a/live HTTP/1.1' }), 400],
  [
    'L-1.5',
    'two Origins',
    handshake({ more: ['Origin: https://a.example', 'Origin: https://b.example'] }),
    400,
  ],
  [
    'L-1.5',
    'two Authorizations',
    handshake({ more: ['Authorization: Bearer a', 'Authorization: Bearer b'] }),
    400,
  ],
  ['L-1.5', 'a second version', twice('Sec-WebSocket-Version'), 400],
  ['L-1.5', 'a body', `${having('Content-Length', '5')}HELLO`, 400],
  ['L-1.5', 'a Content-Length that is no number', having('Content-Length', 'five'), 400],
  ['L-1.5', 'two Content-Lengths', handshake({ more: ['Content-Length: 0', 'Content-Length: 5'] }), 400],
  ['L-1.5', 'a chunked body', `${having('Transfer-Encoding', 'chunked')}0\r\n\r\n`, 400],
  [
    'L-1.5',
    'a body, told behind 97 other headers',
    `${handshake({ more: [...many(97), 'Content-Length: 5'] })}HELLO`,
    400,
  ],
  ['L-1.5', '3,000 headers', handshake({ more: many(1_200) }), 400],
  ['L-1.3', 'an empty subprotocol list', having('Sec-WebSocket-Protocol', ''), 101],
  ['L-1.3', 'a subprotocol list of blanks', having('Sec-WebSocket-Protocol', ' \t '), 101],
  [
    'L-1.3',
    'two empty subprotocol lists',
    handshake({ more: ['Sec-WebSocket-Protocol:', 'Sec-WebSocket-Protocol:'] }),
    101,
  ],
  ['L-1.5', 'a subprotocol list that is none', having('Sec-WebSocket-Protocol', 'live.v1,,'), 400],
  ['L-1.5', 'a subprotocol twice', having('Sec-WebSocket-Protocol', 'live.v1, live.v1'), 400],
  ['L-1.5', 'a subprotocol that is no token', having('Sec-WebSocket-Protocol', 'live.v1, a"b'), 400],
  ['L-1.5', 'a header without a name', handshake({ more: [': x'] }), 400],
  ['L-1.5', 'a folded header', handshake({ more: ['X-Folded: a', ' b'] }), 400],
  ['L-1.5', 'a NUL in a header', handshake({ more: ['X-Nul: a\0b'] }), 400],
  ['L-1.5', 'a bare LF', handshake().replaceAll('\r\n', '\n'), 400],
  ['L-1.8', 'another path', handshake({ line: 'GET /other HTTP/1.1' }), 404],
  ['L-1.8', 'a path in other letter cases', handshake({ line: 'GET /LIVE HTTP/1.1' }), 404],
  ['L-1.8', 'a path with an escape', handshake({ line: 'GET /%6Cive HTTP/1.1' }), 404],
  ['L-1.8', 'a path that URL would throw at', handshake({ line: 'GET // HTTP/1.1' }), 404],
  ['L-1.8', 'an absolute target with another path', handshake({ line: 'GET http://a/ HTTP/1.1' }), 404],
  ['L-1.8', 'a target of another scheme', handshake({ line: 'GET ftp://a/live HTTP/1.1' }), 404],
  ['L-1.8', 'version 12', having('Sec-WebSocket-Version', '12'), 426],
  ['L-1.8', 'version 8, which ws takes', having('Sec-WebSocket-Version', '8'), 426],
  ['L-1.8', 'version 13.0', having('Sec-WebSocket-Version', '13.0'), 426],
  ['L-1.8', 'no version', without('Sec-WebSocket-Version'), 426],
  [
    'L-1.4',
    'a target of 20,000 characters',
    handshake({ line: `GET /live?${'x'.repeat(20_000)} HTTP/1.1` }),
    431,
  ],
  ['L-1.4', 'CONNECT', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 0],
  ['L-1.4', 'a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
];

describe('a handshake, and whether it is let in', () => {
  it.each(handshakes)('[%s] %s', async (_clause, _what, text, status) => {
    const test = await TestUpgradeServer.start();
    const peer = await test.connect();
    peer.send(Buffer.from(text, 'latin1'));
    if (status === 101) {
      expect(await peer.answered(), peer.text).toBe(101);
      return;
    }
    await peer.closed;
    expect(peer.status, peer.text).toBe(status);
    if (test.results.length > 0) {
      expect(peer.text).toContain('\r\nConnection: close\r\n');
      expect(JSON.parse(peer.afterHead.toString())).toMatchObject({ statusCode: status });
    }
    expect([test.sockets.length, test.handler.pendingCount, test.failures]).toEqual([0, 0, []]);
  });

  it('[L-1.1] a guard sees an absolute target as a path, with its host in the place of the Host header', async () => {
    const seen: unknown[] = [];
    const test = await TestUpgradeServer.start({
      authenticate: ({ url, headers, rawHeaders }) => {
        seen.push(url, headers.host, rawHeaders[rawHeaders.indexOf('Host') + 1]);
        return Promise.resolve({ user: null });
      },
    });
    const peer = await test.connect();
    peer.send(handshake({ line: 'GET http://live.example:8080/live?a=b HTTP/1.1' }));
    expect([await peer.answered(), seen]).toEqual([
      101,
      ['/live?a=b', 'live.example:8080', 'live.example:8080'],
    ]);
  });
});
