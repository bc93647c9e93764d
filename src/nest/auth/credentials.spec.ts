import type { IncomingHttpHeaders } from 'node:http';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { credentialOf } from './credentials.js';

const find = (headers: IncomingHttpHeaders) => credentialOf({ headers });
const all = {
  authorization: 'Bearer H',
  cookie: 'live_token=C',
  'sec-websocket-protocol': 'live.v1, bearer.S',
};

describe('credentials', () => {
  it('[L-1.2] the Authorization header takes precedence over the cookie, and the cookie over the subprotocol', () => {
    expect(find(all)).toEqual({ token: 'H', source: 'header' });
    expect(find({ ...all, authorization: undefined })).toEqual({ token: 'C', source: 'cookie' });
    const { 'sec-websocket-protocol': list } = all;
    expect(find({ 'sec-websocket-protocol': list })).toEqual({ token: 'S', source: 'subprotocol' });
  });

  it.each(['Bearer T', 'bearer T', 'BEARER T', 'Bearer   T '])('[L-1.2] %j holds the token T', (value) => {
    expect(find({ authorization: value })).toEqual({ token: 'T', source: 'header' });
  });

  it.each([
    'Basic dTpw',
    'Bearer',
    'Bearer ',
    'BearerT',
    'Bearer a b',
    'Bearer a,b',
    'Bearer "a"',
    'Bearer é',
    '',
  ])('[L-1.2] the Authorization %j is skipped, and the next source is tried', (value) => {
    expect(find({ ...all, authorization: value })).toEqual({ token: 'C', source: 'cookie' });
  });

  it.each([
    'live_token=T',
    'a=b; live_token=T; c=d',
    'a;live_token = T ',
    'live_token="T"',
    'live_token=; live_token=T',
  ])('[L-1.2] the cookie header %j holds the token T', (cookie) => {
    expect(find({ cookie })).toEqual({ token: 'T', source: 'cookie' });
  });

  it.each([
    '',
    'live_token',
    'live_token=',
    'live_token=""',
    'live_token="',
    'LIVE_TOKEN=T',
    'xlive_token=T',
    'a=live_token=T',
  ])('[L-1.2] the cookie header %j holds no token', (cookie) => {
    expect(find({ cookie })).toBeUndefined();
  });

  it.each(['bearer.T', 'live.v1,bearer.T', 'live.v1 ,  bearer.T', 'bearer., bearer.T', 'bearer.T, bearer.U'])(
    '[L-1.2] the subprotocol list %j holds the token T',
    (list) => {
      expect(find({ 'sec-websocket-protocol': list })).toEqual({ token: 'T', source: 'subprotocol' });
    },
  );

  it.each(['', 'live.v1', 'bearer', 'bearer.', 'Bearer.T', 'x-bearer.T'])(
    '[L-1.2] the subprotocol list %j holds no token',
    (list) => {
      expect(find({ 'sec-websocket-protocol': list })).toBeUndefined();
    },
  );

  it('[L-1.2] a token of 16,384 characters is accepted, and a longer one is not', () => {
    const token = 'a'.repeat(16_384);
    expect(find({ authorization: `Bearer ${token}` })?.token).toBe(token);
    expect(find({ authorization: `Bearer ${token}a` })).toBeUndefined();
    expect(find({ cookie: `live_token=${'a'.repeat(100_000)}` })).toBeUndefined();
  });

  it('[L-1.2] megabytes of almost-tokens are parsed in linear time', () => {
    const started = performance.now();
    for (const part of ['=', 'a;', 'a=', 'bearer.,', ' ', '"']) {
      const value = part.repeat(1_000_000);
      find({ authorization: `Bearer ${value}`, cookie: value, 'sec-websocket-protocol': value });
      const short = value.slice(0, 65_000);
      find({ authorization: `Bearer ${short}`, cookie: short, 'sec-websocket-protocol': short });
    }
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  it('[L-1.2] no headers make the parser throw, and it only returns tokens', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('live_token=', 'bearer.', ',', ';', ' ', '"', '=', 'T', 'a.b-c', '\t'),
    );
    const words = fc.array(word, { maxLength: 4 }).map((parts) => parts.join(''));
    const start = fc.constantFrom(
      '',
      'Bearer ',
      'live_token=',
      'a=b; live_token="',
      'bearer.',
      'live.v1, bearer.',
    );
    const value = fc.oneof(
      { weight: 6, arbitrary: fc.tuple(start, words).map((parts) => parts.join('')) },
      fc.constantFrom(undefined, null, 7, {}, ['Bearer T', 'Bearer a b']),
    );
    const headers = fc.record({ authorization: value, cookie: value, 'sec-websocket-protocol': value });
    let found = 0;
    fc.assert(
      fc.property(headers, (any) => {
        const credential = find(any as IncomingHttpHeaders);
        if (!credential) return;
        found++;
        expect(credential.token).toMatch(/^[^\s,;"]{1,16384}$/);
      }),
      { numRuns: 5_000 },
    );
    expect(found).toBeGreaterThan(100);
  });
});
