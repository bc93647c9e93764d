import { type RequestListener, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askSession } from './session-answer.js';
import { sessionSettingsOf } from './session-settings.js';

let server: Server;
let url: string;
let answer: RequestListener;
const json =
  (value: unknown, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/me?full=1`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
});

const ask = (options: object = {}) => askSession(sessionSettingsOf({ url, ...options }), 'sid=1');

describe('session: the answer of the backend', () => {
  it.each<[string, RequestListener]>([
    ['201', json({ id: 'u1' }, 201)],
    ['404', json({ id: 'u1' }, 404)],
    ['500', json({ id: 'u1' }, 500)],
    ['a page', (_, response) => void response.end('<html>')],
    ['nothing', (_, response) => void response.end()],
    ['null', json(null)],
    ['an array', json([{ id: 'u1' }])],
    ['a text', json('u1')],
    ['an object without id', json({ sub: 'u1' })],
    ['an empty id', json({ id: '' })],
    ['a rounded id', (_, response) => void response.end('{"id":12345678901234567890}')],
    ['an id that is an object', json({ id: { $ne: null } })],
    ['an end that is a text', json({ id: 'u1', expiresAt: '2030-01-01' })],
    ['invalid UTF-8', (_, response) => void response.end(Buffer.from('{"id":"\u00ff"}', 'latin1'))],
    ['a user of more than 64 KiB', json({ id: 'u1', x: 'x'.repeat(65_536) })],
    ['JSON of 60,000 levels', (_, response) => void response.end('['.repeat(60_000))],
    ['a reset', (request) => void request.socket.resetAndDestroy()],
  ])('[L-1.10] a backend that answers %s does not decide about the user', async (_, broken) => {
    answer = broken;
    expect(await ask()).toMatchObject({ verdict: 'unknown', why: expect.any(String) as string });
  });

  it.each<[string, RequestListener]>([
    ['never answers', () => undefined],
    ['stops within its answer', (_, response) => void response.writeHead(200).write('{"id":')],
  ])('[L-1.10] a backend that %s counts as unknown after the timeout', async (_, stuck) => {
    answer = stuck;
    expect(await ask({ timeoutMs: 30 })).toEqual({ verdict: 'unknown', why: 'timeout' });
  });

  it('[L-1.10] a redirect is not followed, whatever its body says', async () => {
    const paths: unknown[] = [];
    answer = (request, response) => {
      paths.push(request.url);
      if (request.url === '/other') json({ id: 'admin' })(request, response);
      else response.writeHead(302, { location: '/other' }).end();
    };
    expect(await ask()).toMatchObject({ verdict: 'unknown' });
    expect(paths).toEqual(['/me?full=1']);
  });

  it('[L-1.10] a request that timed out is closed', async () => {
    const asked = { times: 0 };
    const hungUp = new Promise<string>((resolve) => {
      answer = (request) => {
        asked.times += 1;
        request.socket.once('close', () => resolve('hung up'));
      };
    });
    // A busy machine may need longer than the first of these to connect.
    for (let timeoutMs = 30; asked.times === 0; timeoutMs *= 2) await ask({ timeoutMs });
    expect(await hungUp).toBe('hung up');
  });

  it('[L-1.10] an endless answer is cut off at 64 KiB', async () => {
    let sent = 0;
    answer = (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384))) sent += 16_384;
        response.once('drain', more);
      };
      more();
    };
    expect(await ask()).toEqual({ verdict: 'unknown', why: 'too large' });
    expect(sent).toBeLessThan(20_000_000);
  });

  it('[L-1.6] a number is a valid id, and a field called __proto__ is left out', async () => {
    answer = (_, response) => void response.end('{"id":7,"__proto__":{"admin":true}}');
    const said = await ask();
    const identity = said.verdict === 'in' ? said.identity : undefined;
    expect(identity).toEqual({ user: { id: '7' } });
    expect(Object.assign({}, identity?.user)).not.toHaveProperty('admin');
  });

  it('[L-1.11] an expiresAt of null means no end', async () => {
    answer = json({ id: 'u1', expiresAt: null });
    expect(await ask()).toEqual({ verdict: 'in', identity: { user: { id: 'u1', expiresAt: null } } });
  });

  it('[L-1.10] an unavailable backend does not decide about the user', async () => {
    server.close();
    expect(await ask()).toEqual({ verdict: 'unknown', why: 'ECONNREFUSED' });
  });
});
