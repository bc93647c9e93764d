import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { liveRedact } from './live-redact.js';

function logged(entry: object): unknown {
  let line = '';
  pino({ redact: liveRedact, base: null, timestamp: false }, { write: (text) => (line += text) }).info(entry);
  const { level: _level, ...rest } = JSON.parse(line) as Record<string, unknown>;
  return rest;
}

describe('liveRedact', () => {
  it('credentials in a request are redacted, and the rest is kept', () => {
    const headers = { authorization: 'a', cookie: 'c', 'sec-websocket-protocol': 'p', host: 'h' };
    expect(logged({ req: { method: 'GET', url: '/live?token=t', query: { token: 't' }, headers } })).toEqual({
      req: {
        method: 'GET',
        url: '/live?[redacted]',
        query: '[redacted]',
        headers: {
          authorization: '[redacted]',
          cookie: '[redacted]',
          'sec-websocket-protocol': '[redacted]',
          host: 'h',
        },
      },
    });
  });

  it('a URL without a query is logged unchanged', () => {
    expect(logged({ req: { url: '/a', headers: { referer: 'https://a/b?c' } } })).toEqual({
      req: { url: '/a', headers: { referer: 'https://a/b?[redacted]' } },
    });
  });

  it('an entry without such fields is logged unchanged', () => {
    expect(logged({ msg: 'ready', host: '::1', res: { statusCode: 200 } })).toEqual({
      msg: 'ready',
      host: '::1',
      res: { statusCode: 200 },
    });
  });
});
