import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { HandshakeRefused, LiveTestClient } from '../src/testing/index.js';
import {
  listening,
  pageCookie,
  type RunningServer,
  SpawnedServer,
  spawnServer,
  startServer,
} from './support/spawned-server.js';

const secret = 'a-secret-of-more-than-thirty-two-bytes';
const publishKey = 'canary-publish-key';
const production = { NODE_ENV: 'production', LIVE_JWT_SECRET: secret, LIVE_PUBLISH_KEY: publishKey };

function tokenFor(live: object, key = secret): Promise<string> {
  return new SignJWT({ live })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ann')
    .setExpirationTime('1 h')
    .sign(new TextEncoder().encode(key));
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function publish(http: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${http}/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${publishKey}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** Sets the `Host` header, which `fetch` does not allow. */
function statusWithHost(http: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${http}/`, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on('error', reject);
    request.end();
  });
}

async function refused(attempt: Promise<unknown>): Promise<number> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof HandshakeRefused ? error.statusCode : 0;
}

describe('the standalone server in development mode', () => {
  let shared: RunningServer;
  let cookie: string;

  beforeAll(async () => {
    shared = await listening(new SpawnedServer({ LIVE_PUBLISH_KEY: publishKey }));
    cookie = await pageCookie(shared.http);
  });

  afterAll(() => shared.server.end());

  const connect = async (): Promise<LiveTestClient> => {
    const client = await LiveTestClient.connect(shared.sockets, {
      headers: { cookie, origin: shared.http },
    });
    onTestFinished(() => client.close());
    return client;
  };

  it('the development server prints its addresses to the log and in plain text to stderr', () => {
    const { server, http, sockets } = shared;
    expect(server.stderr).toContain(`page     ${http}/`);
    expect(server.stderr).toContain(`sockets  ${sockets}`);
    expect(server.stderr).toContain(`metrics  ${http}/metrics`);
    expect(server.stderr).toContain(`curl ${http}/publish -H 'Authorization: Bearer ${publishKey}'`);
    expect(server.log.filter(({ msg }) => msg === 'starting' || msg === 'ready')).toMatchObject([
      { context: 'Live', host: '127.0.0.1' },
      { context: 'Live', host: '127.0.0.1', port: Number(new URL(sockets).port) },
    ]);
  });

  it('the development server has health and metrics, and answers 404 to plain requests on the live port', async () => {
    const ready = await fetch(`${shared.http}/health/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'ok', error: {} }]);
    expect((await fetch(`${shared.http}/health/live`)).status).toBe(200);
    const metrics = await fetch(`${shared.http}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('text/plain');
    expect(await metrics.text()).toMatch(/^processor_live_connections \d+$/m);
    const live = shared.sockets.replace('ws:', 'http:');
    expect((await fetch(live)).status).toBe(404);
    expect((await fetch(new URL('/metrics', live))).status).toBe(404);
  });

  it('the page is served with a policy that trusts only its own files', async () => {
    const page = await fetch(shared.http);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
        "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    expect(page.headers.getSetCookie()[0]).toMatch(
      /^live_token=\S+; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    const files = [...(await page.text()).matchAll(/(?:href|src)="(page\/[^"]+)"/g)].map(
      ([, name]) => name ?? '',
    );
    expect(files.length).toBeGreaterThan(2);
    for (const name of files) {
      const file = await fetch(`${shared.http}/${name}`);
      const type = name.endsWith('.css') ? 'text/css' : 'text/javascript';
      expect([name, file.status, file.headers.get('content-type')]).toEqual([
        name,
        200,
        `${type}; charset=utf-8`,
      ]);
    }
  });

  it('the server serves the published client to the page, and nothing else of the package', async () => {
    const statusOf = async (path: string): Promise<number> =>
      (await fetch(`${shared.http}/page/${path}`)).status;
    expect(await statusOf('client/index.js')).toBe(200);
    expect(await statusOf('protocol/codes.js')).toBe(200);
    for (const path of [
      'client/index.d.ts',
      'core/live.js',
      'client/..%2findex.js',
      'standalone/settings.js',
    ]) {
      expect([path, await statusOf(path)]).toEqual([path, 404]);
    }
  });

  it('only the files of the page are served', async () => {
    for (const path of ['..%2fsettings.js', '%2e%2e%2fmain.js', '.', 'x.js', '..%5cmain.js', '__proto__']) {
      expect([path, (await fetch(`${shared.http}/page/${path}`)).status]).toEqual([path, 404]);
    }
  });

  it('the page connects to the host that the browser used, so that the cookie is sent', async () => {
    const { port } = new URL(shared.http);
    const config = (await (await fetch(`http://localhost:${port}/page/config.json`)).json()) as object;
    expect(config).toMatchObject({
      socketUrl: shared.sockets.replace('127.0.0.1', 'localhost'),
      development: true,
      metricsUrl: '/metrics',
      healthUrl: '/health/ready',
    });
  });

  it('the page is accepted by its cookie and gets vitals within two seconds', async () => {
    const client = await connect();
    const answer = await client.request({ type: 'subscribe', id: 1, topic: 'system/vitals' });
    expect(answer).toMatchObject({ type: 'subscribed', topic: 'system/vitals' });
    const askedAtMs = Date.now();
    const { data } = (await client.nextOf('event')) as unknown as { data: Record<string, unknown> };
    expect(Date.now() - askedAtMs).toBeLessThan(2_000);
    const fields =
      'time uptimeSeconds rssBytes heapUsedBytes cpuPercent eventLoopDelayMs ' +
      'connections subscriptions topics publicationsTotal deliveriesTotal queuedBytes';
    expect(Object.keys(data)).toEqual(fields.split(' '));
    expect(data['connections']).toBeGreaterThanOrEqual(1);
    expect(data['eventLoopDelayMs']).toEqual({
      mean: expect.any(Number) as number,
      p99: expect.any(Number) as number,
      max: expect.any(Number) as number,
    });
  });

  it('a fleet subscriber gets a snapshot with the track, then vehicles by their id', async () => {
    const client = await connect();
    const { snapshot } = (await client.request({
      type: 'subscribe',
      id: 1,
      topic: 'fleet/demo',
    })) as unknown as {
      snapshot: { track: number[][]; vehicles: { id: string }[] };
    };
    expect(snapshot.track[0]).toHaveLength(2);
    expect(snapshot.vehicles).toHaveLength(12);
    const seen = new Set<unknown>();
    while (seen.size < 12) {
      const { key, data } = (await client.nextOf('event')) as unknown as {
        key: string;
        data: { id: string };
      };
      expect(data.id).toBe(key);
      seen.add(key);
    }
  });

  it('the contract has the fields of the topics that the server publishes, and the page links to it', async () => {
    const document = (await (await fetch(`${shared.http}/asyncapi.json`)).json()) as {
      readonly components: { readonly messages: Record<string, { readonly payload: object }> };
    };
    for (const topic of ['system/vitals', 'fleet/demo']) {
      const client = await connect();
      const accepts = (message: string, value: unknown): boolean =>
        z
          .fromJSONSchema(
            document.components.messages[`${topic.replace('/', '.')}.${message}`]?.payload as never,
          )
          .safeParse(value).success;
      const subscribed = await client.request({ type: 'subscribe', id: topic, topic });
      const event = await client.nextOf('event');
      expect([topic, accepts('subscribed', subscribed), accepts('event', event)]).toEqual([
        topic,
        true,
        true,
      ]);
      expect(accepts('event', { ...event, data: { at: 1 } })).toBe(false);
    }
    const page = await (await fetch(`${shared.http}/asyncapi`)).text();
    for (const field of ['data?.speedKmh', 'data?.eventLoopDelayMs.p99', 'snapshot?.vehicles[].line'])
      expect(page).toContain(`<code>${field}</code>`);
    expect(await (await fetch(shared.http)).text()).toContain('href="/asyncapi"');
    const asClient = await (await fetch(`${shared.http}/asyncapi.client.json`)).json();
    expect(asClient).toMatchObject({ operations: { 'fleet.demo.deliver': { action: 'receive' } } });
  });

  it('the page has the rights of its cookie and no others', async () => {
    const client = await connect();
    const data = { text: 'hello' };
    const say = await client.request({ type: 'publish', id: 1, topic: 'chat/room-1', data });
    expect(say).toMatchObject({ type: 'published', topic: 'chat/room-1' });
    for (const message of [
      { type: 'publish', id: 2, topic: 'system/vitals', data },
      { type: 'publish', id: 3, topic: 'fleet/demo', data },
      { type: 'subscribe', id: 4, topic: 'secrets/1' },
    ]) {
      expect(await client.request(message)).toMatchObject({
        type: 'error',
        code: 'forbidden',
        id: message.id,
      });
    }
  });

  it('[L-1.7] a page of another origin is refused on the socket, and a foreign host name everywhere', async () => {
    const origin = 'http://evil.example';
    const strange = LiveTestClient.connect(shared.sockets, { headers: { cookie, origin } });
    expect(await refused(strange)).toBe(403);
    expect(await refused(LiveTestClient.connect(shared.sockets))).toBe(401);
    const { port } = new URL(shared.http);
    expect(await statusWithHost(shared.http, `rebound.example:${port}`)).toBe(403);
    expect(await statusWithHost(shared.http, `127.0.0.1.evil.example:${port}`)).toBe(403);
    expect(await statusWithHost(shared.http, `localhost:${port}`)).toBe(200);
  });

  it('publications over HTTP are accepted and delivered', async () => {
    const client = await connect();
    await client.request({ type: 'subscribe', id: 1, topic: 'chat/http' });
    const one = await publish(shared.http, { topic: 'chat/http', data: null, key: 'v1' });
    expect(one).toEqual({ status: 202, body: { epoch: expect.any(String) as string, offset: 1 } });
    const many = await publish(
      shared.http,
      [2, 3].map((data) => ({ topic: 'chat/http', data })),
    );
    expect([many.status, (many.body as { offset: number }[]).map(({ offset }) => offset)]).toEqual([
      202,
      [2, 3],
    ]);
    expect(await client.settle()).toEqual([
      { type: 'event', topic: 'chat/http', offset: 1, data: null, key: 'v1' },
      { type: 'event', topic: 'chat/http', offset: 2, data: 2 },
      { type: 'event', topic: 'chat/http', offset: 3, data: 3 },
    ]);
    expect(await publish(shared.http, [])).toEqual({ status: 202, body: [] });
  });

  it('[L-4.10] data is published exactly as written in the body, in one publication or many', async () => {
    const client = await connect();
    await client.request({ type: 'subscribe', id: 1, topic: 'chat/written' });
    const texts: string[] = [];
    client.socket.on('message', (text: Buffer) => texts.push(text.toString()));
    const written = ['9007199254740993', '1e400', '{ "a" : -0, "a":1E2 }', '"\\u0041"'];
    const bodies = written.map((data) => `{ "topic":"chat/written", "data" : ${data} , "key":"k"}`);
    await publish(shared.http, bodies[0]);
    await publish(shared.http, `[ ${bodies.slice(1).join(' , ')} ]`);
    await client.settle();
    const events = texts.filter((text) => text.startsWith('{"type":"event"'));
    expect(events).toEqual(
      written.map((data, i) => {
        const head = `{"type":"event","topic":"chat/written","offset":${String(i + 1)}`;
        return `${head},"data":${data},"key":"k"}`;
      }),
    );
  });

  it.each([
    ['invalid JSON', '{"topic":', 400],
    ['a publication without a topic', { data: 1 }, 400],
    ['an invalid topic', { topic: 'a//b', data: 1 }, 400],
    ['a reserved topic', { topic: '$sys/x', data: 1 }, 400],
    ['a publication without data', { topic: 'chat/x' }, 400],
    ['a key that is no string', { topic: 'chat/x', data: 1, key: 7 }, 400],
    ['a key that is null', { topic: 'chat/x', data: 1, key: null }, 400],
    ['an empty key', { topic: 'chat/x', data: 1, key: '' }, 400],
    ['an empty idempotency key', { topic: 'chat/x', data: 1, idempotencyKey: '' }, 400],
    ['an idempotency key that is no string', { topic: 'chat/x', data: 1, idempotencyKey: 7 }, 400],
    ['a version that is no integer', { topic: 'chat/x', data: 1, version: 1.5 }, 400],
    ['a version that is null', { topic: 'chat/x', data: 1, version: null }, 400],
    ['a removal without a key', { topic: 'chat/x', remove: true }, 400],
    ['a removal with data', { topic: 'chat/x', key: 'a', remove: true, data: 1 }, 400],
    ['a removal that is not true', { topic: 'chat/x', key: 'a', remove: false, data: 1 }, 400],
    ['a string', '"hello"', 400],
    ['an empty body', '', 400],
    ['very deep JSON', `{"topic":"chat/x","data":${'['.repeat(300_000)}${']'.repeat(300_000)}}`, 400],
    [
      'more than 1,000 publications',
      Array.from({ length: 1_001 }, () => ({ topic: 'chat/x', data: 1 })),
      413,
    ],
    ['a body above 1 MiB', { topic: 'chat/x', data: 'x'.repeat(1_048_576) }, 413],
  ])('%s over HTTP is refused with a JSON error', async (_what, body, status) => {
    const answer = await publish(shared.http, body);
    expect(answer).toMatchObject({ status, body: { statusCode: status } });
    expect(Object.keys(answer.body as object).toSorted()).toEqual(['error', 'message', 'statusCode']);
  });

  it('a publication that is sent again is stored once, and the answer says so', async () => {
    const sent = { topic: 'chat/again', data: 1, idempotencyKey: 'k', version: 2 };
    const first = await publish(shared.http, sent);
    expect(Object.keys(first.body as object)).toEqual(['epoch', 'offset']);
    expect(await publish(shared.http, sent)).toEqual({
      status: 202,
      body: { ...(first.body as object), suppressed: 'duplicate' },
    });
    expect((await publish(shared.http, { topic: 'chat/again', data: 0, version: 1 })).body).toMatchObject({
      offset: 1,
      suppressed: 'stale',
    });
  });

  it('a key can be removed over HTTP, and its version is kept', async () => {
    const key = { topic: 'chat/keys', key: 'a' };
    await publish(shared.http, { ...key, data: 1, version: 1 });
    const removed = await publish(shared.http, { ...key, remove: true, version: 3 });
    expect(removed).toMatchObject({ status: 202, body: { offset: 2 } });
    const late = await publish(shared.http, { ...key, data: 1, version: 2 });
    expect(late.body).toMatchObject({ offset: 2, suppressed: 'stale' });
  });

  it('an array with one invalid publication publishes nothing', async () => {
    const right = { topic: 'chat/all-or-nothing', data: 1 };
    const answer = await publish(shared.http, [right, right, { topic: 'chat/all-or-nothing' }]);
    expect(answer).toMatchObject({ status: 400, body: { message: '[2]: data must be there' } });
    expect((await publish(shared.http, right)).body).toMatchObject({ offset: 1 });
  });

  it('the publish key is checked before the body is read, and the body must be JSON', async () => {
    const wrong = { authorization: `Bearer ${publishKey}x` };
    expect(await publish(shared.http, 'x'.repeat(2_000_000), wrong)).toMatchObject({
      status: 401,
      body: { statusCode: 401, error: 'Unauthorized' },
    });
    expect((await publish(shared.http, {}, { authorization: publishKey })).status).toBe(401);
    expect((await publish(shared.http, {}, { authorization: '' })).status).toBe(401);
    expect((await publish(shared.http, {}, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await publish(shared.http, {}, { 'content-encoding': 'gzip' })).status).toBe(415);
  });
});

describe('the standalone server in production', () => {
  it('the production server does not start without a source of credentials', async () => {
    const server = spawnServer({ NODE_ENV: 'production' });
    expect(await server.exit).toBe(1);
    expect(server.stderr).toContain(
      'one of LIVE_JWT_SECRET, LIVE_JWT_PUBLIC_KEY, LIVE_JWKS_URL, LIVE_SESSION_URL must be set',
    );
    expect(server.stdout).toBe('');
  });

  it('the production server grants the rights that the token names', async () => {
    const { sockets, http } = await startServer(production);
    const token = await tokenFor({ subscribe: ['fleet/*'], publish: ['chat/**'] });
    const client = await LiveTestClient.connect(sockets, { token });
    expect(await client.next()).toMatchObject({ type: 'welcome', user: { id: 'ann' } });
    const types: unknown[] = [];
    for (const [type, topic] of [
      ['subscribe', 'fleet/7'],
      ['subscribe', 'fleet/7/speed'],
      ['subscribe', 'chat/1'],
      ['publish', 'chat/1/2'],
      ['publish', 'fleet/7'],
    ] as const) {
      types.push((await client.request({ type, id: topic, topic, data: 1 })).type);
    }
    expect(types).toEqual(['subscribed', 'error', 'error', 'published', 'error']);
    const page = await fetch(http);
    expect([page.status, page.headers.getSetCookie()]).toEqual([200, []]);
    expect(await (await fetch(`${http}/page/config.json`)).json()).toMatchObject({ development: false });
    const forged = await tokenFor({}, `${secret}-of-somebody-else`);
    expect(await refused(LiveTestClient.connect(sockets, { token: forged }))).toBe(401);
  });

  it('the production server publishes nothing over HTTP without a key, and says so', async () => {
    const { http } = await startServer({ NODE_ENV: 'production', LIVE_JWT_SECRET: secret });
    expect(await publish(http, { topic: 'chat/x', data: 1 })).toMatchObject({
      status: 404,
      body: { message: expect.stringContaining('LIVE_PUBLISH_KEY') as string },
    });
  });

  it('the production server asks the session backend for the user of a cookie', async () => {
    const backend = createServer(({ headers }, response) => {
      const known = headers.cookie === 'sid=1';
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ id: 'bob', live: { subscribe: ['fleet/**'] } }));
    });
    await new Promise<void>((done) => {
      backend.listen(0, '127.0.0.1', done);
    });
    onTestFinished(() => void backend.close());
    const { sockets } = await startServer({
      NODE_ENV: 'production',
      LIVE_SESSION_URL: `http://127.0.0.1:${String((backend.address() as AddressInfo).port)}/me`,
      LIVE_ALLOWED_ORIGINS: 'https://app.example',
    });
    const origin = 'https://app.example';
    const client = await LiveTestClient.connect(sockets, { headers: { cookie: 'sid=1', origin } });
    expect(await client.next()).toMatchObject({ type: 'welcome', user: { id: 'bob' } });
    const answer = await client.request({ type: 'subscribe', id: 1, topic: 'fleet/7' });
    expect(answer).toMatchObject({ type: 'subscribed' });
    expect(await client.request({ type: 'publish', id: 2, topic: 'fleet/7', data: 1 })).toMatchObject({
      code: 'forbidden',
    });
    expect(await refused(LiveTestClient.connect(sockets, { headers: { cookie: 'sid=2', origin } }))).toBe(
      401,
    );
  });

  it('the server logs no credential at any level', async () => {
    const { server, http, sockets } = await startServer({ ...production, LOG_LEVEL: 'trace' });
    const token = await tokenFor({ subscribe: ['**'] });
    const headers = { cookie: `live_token=${token}`, 'sec-websocket-protocol': `bearer.${token}` };
    await fetch(`${http}/metrics?token=${token}`, {
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    await fetch(`${http}/nowhere?token=${token}`, { headers: { referer: `${http}/?token=${token}` } });
    await publish(http, { topic: 'chat/x', data: token });
    await publish(http, '{', { authorization: `Bearer ${publishKey}` });
    for (const way of [{ token }, { protocols: ['live.v1', `bearer.${token}`] }, { headers }]) {
      await (await LiveTestClient.connect(sockets, way)).close();
    }
    await refused(LiveTestClient.connect(sockets, { token: `${token}x` }));
    server.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    expect(server.log.length).toBeGreaterThan(10);
    for (const canary of [token, publishKey, secret])
      expect(server.stdout + server.stderr).not.toContain(canary);
  });
});
