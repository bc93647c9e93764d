import { describe, expect, it } from 'vitest';
import { handshake, rightHeaders } from '../../test/support/raw-peer.js';
import { TestUpgradeServer } from '../../test/support/test-upgrade-server.js';

const without = (name: string): string => handshake({ headers: { [name]: undefined } });
const having = (name: string, value: string): string => handshake({ headers: { [name]: value } });
const twice = (name: string, value = rightHeaders[name] ?? ''): string =>
  handshake({ more: [`${name}: ${value}`] });
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${String(i)}: y`);
const key = (value: string): string => having('Sec-WebSocket-Key', value);

/** Node 22 and later refuse so many headers themselves, as too large. */
const manyHeaders = Number(process.versions.node.split('.')[0]) >= 22 ? 431 : 400;

/** What is sent, and the status of the answer; 0 if the socket closes without an answer. */
const handshakes: readonly (readonly [clause: string, what: string, text: string, status: number])[] = [
  ['L-1.1', 'a valid handshake is accepted', handshake(), 101],
  ['L-1.1', 'a handshake with a query is accepted', handshake({ line: 'GET /live?x=1 HTTP/1.1' }), 101],
  [
    'L-1.1',
    'a handshake with an absolute target is accepted',
    handshake({ line: 'GET http://a:80/live?x HTTP/1.1' }),
    101,
  ],
  [
    'L-1.1',
    'a handshake with an absolute wss target is accepted',
    handshake({ line: 'GET WSS://[::1]/live/ HTTP/1.1' }),
    101,
  ],
  [
    'L-1.1',
    'a handshake with a slash at the end is accepted',
    handshake({ line: 'GET /live/ HTTP/1.1' }),
    101,
  ],
  ['L-1.1', 'a handshake in other letter cases is accepted', having('Upgrade', 'WebSocket'), 101],
  [
    'L-1.1',
    'a handshake with many tokens in Connection is accepted',
    having('Connection', 'keep-alive, Upgrade'),
    101,
  ],
  ['L-1.1', 'a handshake to an IPv6 host is accepted', having('Host', '[::1]:8081'), 101],
  ['L-1.1', 'a handshake with Content-Length: 0 is accepted', having('Content-Length', '0'), 101],
  [
    'L-1.1',
    'a handshake with a __proto__ header is accepted',
    handshake({ more: ['__proto__: x', 'constructor: y'] }),
    101,
  ],
  [
    'L-1.1',
    'a handshake that offers deflate is accepted without it',
    having('Sec-WebSocket-Extensions', 'permessage-deflate'),
    101,
  ],
  ['L-1.1', 'a plain GET is refused with 404', 'GET /live HTTP/1.1\r\nHost: a\r\n\r\n', 404],
  ['L-1.8', 'an Upgrade without Connection is refused with 426', without('Connection'), 426],
  ['L-1.8', 'a Connection without Upgrade is refused with 426', without('Upgrade'), 426],
  [
    'L-1.8',
    'a handshake over HTTP/1.0 without Upgrade is refused with 426',
    handshake({ line: 'GET /live HTTP/1.0', headers: { Upgrade: undefined } }),
    426,
  ],
  [
    'L-1.1',
    'another path without Upgrade is refused with 404',
    handshake({ line: 'GET / HTTP/1.1', headers: { Upgrade: undefined } }),
    404,
  ],
  ['L-1.5', 'a POST is refused', handshake({ line: 'POST /live HTTP/1.1' }), 400],
  ['L-1.5', 'a HEAD is refused', handshake({ line: 'HEAD /live HTTP/1.1' }), 400],
  ['L-1.5', 'an unknown method is refused', handshake({ line: 'GOT /live HTTP/1.1' }), 400],
  ['L-1.5', 'HTTP/1.0 is refused', handshake({ line: 'GET /live HTTP/1.0' }), 400],
  ['L-1.5', 'HTTP/2.0 is refused', handshake({ line: 'GET /live HTTP/2.0' }), 400],
  ['L-1.5', 'HTTP/9.9 is refused', handshake({ line: 'GET /live HTTP/9.9' }), 400],
  ['L-1.5', 'a request line without an HTTP version is refused', handshake({ line: 'GET /live' }), 400],
  ['L-1.5', 'an upgrade to h2c is refused', having('Upgrade', 'h2c'), 400],
  ['L-1.5', 'an Upgrade header with two protocols is refused', having('Upgrade', 'websocket, h2c'), 400],
  ['L-1.5', 'a second Upgrade header is refused', twice('Upgrade'), 400],
  ['L-1.5', 'a handshake without a key is refused', without('Sec-WebSocket-Key'), 400],
  ['L-1.5', 'an empty key is refused', key(''), 400],
  ['L-1.5', 'a key that is too short is refused', key('c2hvcnQ='), 400],
  ['L-1.5', 'a key that is too long is refused', key('dGhlIHNhbXBsZSBub25jZSB0b28gbG9uZw=='), 400],
  ['L-1.5', 'a key that is not base64 is refused', key('!!!!!!!!!!!!!!!!!!!!!!=='), 400],
  ['L-1.5', 'a second key is refused', twice('Sec-WebSocket-Key'), 400],
  ['L-1.5', 'a handshake without Host is refused', without('Host'), 400],
  ['L-1.5', 'an empty Host is refused', having('Host', ''), 400],
  ['L-1.5', 'a Host that the URL parser rejects is refused', having('Host', '['), 400],
  ['L-1.5', 'a Host with a path is refused', having('Host', 'a/b'), 400],
  ['L-1.5', 'a Host with a user is refused', having('Host', 'user@a'), 400],
  ['L-1.5', 'a second Host is refused', twice('Host'), 400],
  [
    'L-1.5',
    'an absolute target without Host is refused',
    handshake({ line: 'GET http://a/live HTTP/1.1', headers: { Host: undefined } }),
    400,
  ],
  [
    'L-1.5',
    'an absolute target with a bad host is refused',
    handshake({ line: 'GET http://[/live HTTP/1.1' }),
    400,
  ],
  [
    'L-1.5',
    'an absolute target without a host is refused',
    handshake({ line: 'GET http:///live HTTP/1.1' }),
    400,
  ],
  [
    'L-1.5',
    'an absolute target with a user is refused',
    handshake({ line: 'GET http://u:p@a/live HTTP/1.1' }),
    400,
  ],
  [
    'L-1.5',
    'a handshake with two Origins is refused',
    handshake({ more: ['Origin: https://a.example', 'Origin: https://b.example'] }),
    400,
  ],
  [
    'L-1.5',
    'a handshake with two Authorizations is refused',
    handshake({ more: ['Authorization: Bearer a', 'Authorization: Bearer b'] }),
    400,
  ],
  ['L-1.5', 'a second WebSocket version is refused', twice('Sec-WebSocket-Version'), 400],
  ['L-1.5', 'a handshake with a body is refused', `${having('Content-Length', '5')}HELLO`, 400],
  ['L-1.5', 'a Content-Length that is not a number is refused', having('Content-Length', 'five'), 400],
  [
    'L-1.5',
    'a handshake with two Content-Lengths is refused',
    handshake({ more: ['Content-Length: 0', 'Content-Length: 5'] }),
    400,
  ],
  ['L-1.5', 'a chunked body is refused', `${having('Transfer-Encoding', 'chunked')}0\r\n\r\n`, 400],
  [
    'L-1.5',
    'a body announced after 97 other headers is refused',
    `${handshake({ more: [...many(97), 'Content-Length: 5'] })}HELLO`,
    400,
  ],
  ['L-1.5', 'a handshake with 1,200 headers is refused', handshake({ more: many(1_200) }), manyHeaders],
  ['L-1.3', 'an empty subprotocol list is accepted', having('Sec-WebSocket-Protocol', ''), 101],
  ['L-1.3', 'a blank subprotocol list is accepted', having('Sec-WebSocket-Protocol', ' \t '), 101],
  [
    'L-1.3',
    'a handshake with two empty subprotocol lists is accepted',
    handshake({ more: ['Sec-WebSocket-Protocol:', 'Sec-WebSocket-Protocol:'] }),
    101,
  ],
  ['L-1.5', 'a malformed subprotocol list is refused', having('Sec-WebSocket-Protocol', 'live.v1,,'), 400],
  ['L-1.5', 'a repeated subprotocol is refused', having('Sec-WebSocket-Protocol', 'live.v1, live.v1'), 400],
  [
    'L-1.5',
    'a subprotocol that is not a token is refused',
    having('Sec-WebSocket-Protocol', 'live.v1, a"b'),
    400,
  ],
  ['L-1.5', 'a header without a name is refused', handshake({ more: [': x'] }), 400],
  ['L-1.5', 'a folded header is refused', handshake({ more: ['X-Folded: a', ' b'] }), 400],
  ['L-1.5', 'a NUL in a header is refused', handshake({ more: ['X-Nul: a\0b'] }), 400],
  ['L-1.5', 'a bare LF as line end is refused', handshake().replaceAll('\r\n', '\n'), 400],
  ['L-1.8', 'another path is refused with 404', handshake({ line: 'GET /other HTTP/1.1' }), 404],
  [
    'L-1.8',
    'a path in other letter cases is refused with 404',
    handshake({ line: 'GET /LIVE HTTP/1.1' }),
    404,
  ],
  ['L-1.8', 'a path with an escape is refused with 404', handshake({ line: 'GET /%6Cive HTTP/1.1' }), 404],
  [
    'L-1.8',
    'a path that the URL parser rejects is refused with 404',
    handshake({ line: 'GET // HTTP/1.1' }),
    404,
  ],
  [
    'L-1.8',
    'an absolute target with another path is refused with 404',
    handshake({ line: 'GET http://a/ HTTP/1.1' }),
    404,
  ],
  [
    'L-1.8',
    'a target with another scheme is refused with 404',
    handshake({ line: 'GET ftp://a/live HTTP/1.1' }),
    404,
  ],
  ['L-1.8', 'WebSocket version 12 is refused with 426', having('Sec-WebSocket-Version', '12'), 426],
  [
    'L-1.8',
    'WebSocket version 8 is refused with 426, although ws accepts it',
    having('Sec-WebSocket-Version', '8'),
    426,
  ],
  ['L-1.8', 'WebSocket version 13.0 is refused with 426', having('Sec-WebSocket-Version', '13.0'), 426],
  [
    'L-1.8',
    'a handshake without a WebSocket version is refused with 426',
    without('Sec-WebSocket-Version'),
    426,
  ],
  [
    'L-1.4',
    'a target of 20,000 characters is refused with 431',
    handshake({ line: `GET /live?${'x'.repeat(20_000)} HTTP/1.1` }),
    431,
  ],
  ['L-1.4', 'a CONNECT closes the socket', 'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 0],
  ['L-1.4', 'a TLS hello is refused with 400', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
];

describe('handshakes', () => {
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

  it('[L-1.1] a guard sees an absolute target as a path, and its host as the Host header', async () => {
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
