import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { createClient } from '@redis/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisBroker } from '../src/brokers/redis/index.js';
import type { BrokerSink } from '../src/core/ports/broker.js';
import { platforms, startLiveApp, type LiveAppOptions } from './support/live-app.js';
import { ask, besideOf, EventPeer } from './support/event-peer.js';
import { joinedBroker } from './support/joined-broker.js';
import { describeWith, redisServer } from './support/programs.js';
import { RedisServer } from './support/redis-server.js';

/** A user and a part of a token that must not be seen anywhere. */
const canary = 'canary-7d41';
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

const start = (setup: LiveAppOptions = {}) =>
  startLiveApp({ ...setup, options: { sse: true, ...setup.options } });

const ndjson = (...messages: readonly object[]): string =>
  messages.map((each) => JSON.stringify(each)).join('\n');

describe.each(platforms)('12. The event door, on %s', (_name, platform) => {
  it('[L-12.1] neither path exists without the option, on the own port and on that of the application', async () => {
    for (const port of [0, 'app'] as const) {
      const { url } = await startLiveApp({ platform, options: { port } });
      const headers = { authorization: 'Bearer ann' };
      expect((await ask(url, { path: '/events', headers })).status).toBe(404);
      expect((await ask(url, { path: '/messages', method: 'POST', headers })).status).toBe(404);
    }
  });

  it('[L-12.2] the stream begins with its session and the welcome, on the own port and on that of the application', async () => {
    for (const port of [0, 'app'] as const) {
      const { url } = await start({ platform, options: { port } });
      const peer = await EventPeer.open(url);
      await peer.until(() => peer.events.length >= 2);
      expect(peer.events[0]?.event).toBe('session');
      expect(peer.events[0]?.data).toMatch(/^[\w-]{36}\.[\w-]{32}$/);
      expect(peer.messages).toMatchObject([{ type: 'welcome', user: { id: 'ann' } }]);
    }
  });

  it('[L-12.3] [L-12.7] posted messages are handled in order, and publications come as events', async () => {
    const { url, live } = await start({ platform });
    const peer = await EventPeer.open(url);
    const subscribe = { type: 'subscribe', id: 1, topic: 'open/1' };
    peer.sequence = 1;
    expect(await peer.ask(ndjson(subscribe, { type: 'ping', id: 2 }))).toMatchObject({
      status: 204,
      body: '',
    });
    await peer.until(() => peer.messages.length === 3);
    await live.publish('open/1', { text: 'a\nb' });
    await peer.until(() => peer.messages.length === 4);
    expect(peer.messages.slice(1)).toMatchObject([
      { type: 'pong', id: 2 },
      { type: 'subscribed', id: 1 },
      { type: 'event', topic: 'open/1', data: { text: 'a\nb' } },
    ]);
  });

  it('[L-12.8] a repeated POST is not handled again, and one that overtakes is refused', async () => {
    const { url } = await start({ platform });
    const peer = await EventPeer.open(url);
    const post = (sequence: number) =>
      peer.ask(ndjson({ type: 'ping', id: sequence }), { 'live-sequence': String(sequence) });
    const statuses: number[] = [];
    for (const sequence of [2, 1, 1, 3, 2, 1, 3]) statuses.push((await post(sequence)).status);
    expect(statuses).toEqual([409, 204, 204, 409, 204, 204, 204]);
    await peer.until(() => peer.messages.length === 4);
    expect(peer.messages.slice(1).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('[L-12.8] a POST needs the session’s secret and its user', async () => {
    const { url } = await start({ platform });
    const peer = await EventPeer.open(url);
    peer.sequence = 1;
    const other = `${peer.session.slice(0, -1)}${peer.session.endsWith('A') ? 'B' : 'A'}`;
    const statusOf = async (headers: Record<string, string>) =>
      (await peer.ask('{"type":"ping"}', headers)).status;
    expect(await statusOf({ authorization: 'Bearer bob' })).toBe(403);
    expect(await statusOf({ authorization: 'none' })).toBe(401);
    expect(await statusOf({ 'live-session': other })).toBe(404);
    expect(await statusOf({ 'live-session': `x${peer.session}` })).toBe(404);
    expect(await statusOf({ 'live-session': 'x' })).toBe(400);
    expect(await statusOf({ 'live-sequence': '0' })).toBe(400);
    expect(peer.messages).toHaveLength(1);
    expect(await statusOf({})).toBe(204);
    peer.close();
    await new Promise((resolve) => peer.once('close', resolve));
    await expect.poll(() => statusOf({})).toBe(404);
  });

  it('[L-12.7] a body is bounded, has one of two types, and is UTF-8', async () => {
    const { url } = await start({ platform, options: { maxMessageBytes: 200 } });
    const peer = await EventPeer.open(url);
    peer.sequence = 1;
    const statusOf = async (body: string | Buffer, type?: string) =>
      (await peer.ask(body, type === undefined ? {} : { 'content-type': type })).status;
    expect(await statusOf('x'.repeat(201))).toBe(413);
    expect(await statusOf('{}', 'text/plain')).toBe(415);
    expect(await statusOf('{}', 'application/x-www-form-urlencoded')).toBe(415);
    expect(await statusOf(Buffer.from([0x22, 0xff, 0x22]))).toBe(400);
    expect(await statusOf('{\n"type": "ping",\n"id": 5\n}', 'application/json; charset=utf-8')).toBe(204);
    await peer.until(() => peer.messages.length === 2);
    expect(peer.messages[1]).toEqual({ type: 'pong', id: 5 });
  });

  it('[L-12.2] other methods are refused with 405, and a GET with a body with 400', async () => {
    const { url } = await start({ platform });
    const headers = { authorization: 'Bearer ann' };
    expect(await ask(url, { path: '/events', method: 'POST', headers })).toMatchObject({
      status: 405,
      headers: { allow: 'GET' },
    });
    expect((await ask(url, { path: '/messages', headers })).status).toBe(405);
    expect(
      (await ask(url, { path: '/events', headers: { ...headers, 'content-length': '1' }, body: 'x' })).status,
    ).toBe(400);
  });

  it('[L-12.4] a request on the socket of a stream ends both', async () => {
    const { url } = await start({ platform });
    const { port } = new URL(url);
    const socket = connect(Number(port), '127.0.0.1');
    const get = 'GET /live/events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ann\r\n\r\n';
    socket.write(get + get);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => {});
    await new Promise((resolve) => socket.on('close', resolve));
    expect(text.split('HTTP/1.1').length).toBeLessThanOrEqual(2);
  });

  it('[L-12.5] a peer that answers no ping is terminated, and one that does stays', async () => {
    const { url } = await start({ platform, options: { pingIntervalMs: 40, pongTimeoutMs: 200 } });
    const [silent, good] = [await EventPeer.open(url), await EventPeer.open(url)];
    silent.answersPings = false;
    const code = await new Promise((resolve) => silent.once('close', resolve));
    expect(code).toBe(1006);
    expect(good.readyState).toBe(1);
    expect(good.events.filter(({ event }) => event === 'ping').length).toBeGreaterThan(2);
  });

  it('[L-12.6] a close has its code and reason, and the stream ends', async () => {
    const { url, live } = await start({ platform });
    const peer = await EventPeer.open(url);
    const closed = new Promise((resolve) => peer.once('close', (...how) => resolve(how)));
    await live.disconnectUser('ann', { reason: 'bye' });
    expect(await closed).toEqual([4503, Buffer.from('bye')]);
  });

  it('[L-10.1] [L-12.6] a drain closes streams with 1001 and refuses new ones, and the application stops', async () => {
    const { url, app } = await start({ platform, options: { port: 'app' } });
    const peer = await EventPeer.open(url);
    const closed = new Promise((resolve) => peer.once('close', resolve));
    await app.close();
    expect(await closed).toBe(1001);
  });

  it('[L-12.2] limits of connections count both doors together', async () => {
    const { url } = await start({ platform, options: { maxConnectionsPerUser: 1 } });
    const peer = await EventPeer.open(url);
    const headers = { authorization: 'Bearer ann' };
    expect((await ask(url, { path: '/events', headers })).status).toBe(429);
    peer.sequence = 1;
    expect((await peer.ask('{"type":"ping"}')).status).toBe(204);
    peer.close();
    await expect.poll(async () => (await ask(url, { path: '/messages', headers })).status).toBe(405);
    await EventPeer.open(url);
  });
});

/** Sends a `POST` of the session of `peer` to another instance. */
async function postTo(url: string, peer: EventPeer, sequence: number, message: object, token = 'ann') {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/x-ndjson',
    'live-session': peer.session,
    'live-sequence': String(sequence),
  };
  return (await ask(url, { path: '/messages', method: 'POST', body: ndjson(message), headers })).status;
}

describe('12. Two instances', () => {
  async function pair() {
    const sinks: BrokerSink[] = [];
    const signals: string[] = [];
    const one = await start({ options: { broker: joinedBroker(sinks, signals) } });
    const other = await start({ options: { broker: joinedBroker(sinks, signals) } });
    return { one, other, sinks, signals, peer: await EventPeer.open(one.url, canary) };
  }

  it('[L-12.11] a POST to another instance reaches the session, once and with its user', async () => {
    const { one, other, peer } = await pair();
    const post = (sequence: number, token = canary) =>
      postTo(other.url, peer, sequence, { type: 'ping', id: sequence }, token);
    expect([await post(1), await post(1), await post(3), await post(2)]).toEqual([204, 204, 409, 204]);
    expect(await post(3, 'bob')).toBe(403);
    await peer.until(() => peer.messages.length === 3);
    expect(peer.messages.slice(1)).toEqual([
      { type: 'pong', id: 1 },
      { type: 'pong', id: 2 },
    ]);
    await one.app.close();
    expect(await post(3)).toBe(404);
  });

  it('[L-12.11] what is posted to another instance crosses the engine sealed, and cannot be forged there', async () => {
    const { other, sinks, signals, peer } = await pair();
    const message = { type: 'auth', id: 1, token: `${canary}-token` };
    expect(await postTo(other.url, peer, 1, message, canary)).toBe(204);
    await peer.until(() => peer.messages.length === 2);
    const post = signals.find((text) => text.includes('"type":"post"')) ?? '';
    expect(post).toContain('"sealed":"');
    const [, secret = ''] = peer.session.split('.');
    for (const each of [canary, secret, 'Bearer', '"auth"', hashOf(canary)])
      expect(signals.join('\n')).not.toContain(each);
    // Somebody on the engine repeats it, and changes each of its characters.
    const [, sealed = ''] = /"sealed":"([^"]+)"/.exec(post) ?? [];
    const at = post.indexOf(sealed);
    sinks.forEach((sink) => sink.signal(post));
    for (let i = at; i < at + sealed.length; i++) {
      const changed = `${post.slice(0, i)}${post[i] === 'A' ? 'B' : 'A'}${post.slice(i + 1)}`;
      sinks.forEach((sink) => sink.signal(changed));
    }
    expect(await postTo(other.url, peer, 2, { type: 'ping', id: 2 }, canary)).toBe(204);
    await peer.until(() => peer.messages.length === 3);
    expect(peer.messages.slice(1).map(({ id }) => id)).toEqual([1, 2]);
  });
});

describeWith(redisServer)('12. Two instances on Redis', () => {
  it('[L-12.11] a token that is posted to another instance never reaches Redis', async () => {
    const { url } = await RedisServer.start();
    const monitor = createClient({ url });
    onTestFinished(() => void monitor.destroy());
    await monitor.connect();
    let commands = '';
    await monitor.monitor((line) => (commands += String(line)));
    const [one, other] = [
      await start({ options: { broker: new RedisBroker({ url }) } }),
      await start({ options: { broker: new RedisBroker({ url }) } }),
    ];
    const peer = await EventPeer.open(one.url, canary);
    const message = { type: 'auth', id: 1, token: `${canary}-token` };
    expect(await postTo(other.url, peer, 1, message, canary)).toBe(204);
    await expect.poll(() => commands).toContain('post-answer');
    expect(commands).toContain('sealed');
    expect(commands).not.toContain(canary);
    expect(commands).not.toContain(peer.session.split('.')[1]);
  });
});

describe('12. Pages of other origins', () => {
  const page = 'https://app.example';
  const cookie = { cookie: 'live_token=x', authorization: 'Bearer ann' };
  const statusOf = async (url: string, headers: Record<string, string>) => {
    const answer = await new Promise<{ status: number; allowed: unknown }>((resolve, reject) => {
      const peer = new EventPeer(url, { headers });
      peer.once('error', reject);
      const answered = (status: number, allowed: unknown): void => {
        peer.terminate();
        resolve({ status, allowed });
      };
      peer.once('open', () => answered(200, undefined));
      peer.once('unexpected-response', (_, response) =>
        answered(response.statusCode ?? 0, response.headers['access-control-allow-origin']),
      );
    });
    return answer;
  };

  it('[L-12.9] a browser’s question is answered from the list of origins', async () => {
    const { url } = await start({ options: { allowedOrigins: [page] } });
    const preflight = (origin: string, path: string) =>
      ask(url, { method: 'OPTIONS', path, headers: { origin, 'access-control-request-method': 'POST' } });
    const { headers } = await preflight(page, '/messages');
    expect(headers).toMatchObject({
      'access-control-allow-origin': page,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      vary: 'Origin',
    });
    for (const origin of ['https://evil.example', 'null', `${page}.evil.example`])
      for (const path of ['/messages', '/events'])
        expect(Object.keys((await preflight(origin, path)).headers).join(' ')).not.toContain(
          'access-control',
        );
  });

  it('[L-12.9] any page may read with a token, and none with cookies, if there is no list', async () => {
    const { url } = await start();
    const { headers } = await ask(url, { path: '/events', headers: { origin: page } });
    expect(headers['access-control-allow-origin']).toBe(page);
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    expect(await statusOf(url, { origin: page, authorization: 'Bearer ann' })).toMatchObject({ status: 200 });
    expect(await statusOf(url, { origin: page, ...cookie })).toEqual({ status: 403, allowed: undefined });
  });

  it('[L-12.9] a page on the list can read a refusal', async () => {
    const { url } = await start({ options: { allowedOrigins: [page] } });
    expect(await statusOf(url, { origin: page })).toEqual({ status: 401, allowed: page });
    expect(await statusOf(url, { origin: 'https://evil.example', ...cookie })).toEqual({
      status: 403,
      allowed: undefined,
    });
  });

  it('[L-12.10] a request without an Origin is that of its host, of no page, or of a program', async () => {
    const { url } = await start({ options: { allowedOrigins: [page] } });
    const host = new URL(besideOf(url)).host;
    const strict = await start({ options: { allowedOrigins: [`http://${host}`] } });
    const from = (site: string, more: object = {}) => ({ 'sec-fetch-site': site, ...cookie, ...more });
    const accept = 'text/event-stream';
    expect((await statusOf(url, from('same-origin'))).status).toBe(403);
    expect((await statusOf(url, from('cross-site', { accept }))).status).toBe(403);
    expect((await statusOf(url, from('same-site', { accept }))).status).toBe(403);
    expect((await statusOf(url, cookie)).status).toBe(403);
    expect((await statusOf(url, { ...cookie, accept })).status).toBe(200);
    expect((await statusOf(url, { authorization: 'Bearer ann' })).status).toBe(200);
    expect((await statusOf(strict.url, { ...from('same-origin'), host })).status).toBe(200);
    expect((await statusOf(strict.url, { ...from('same-origin'), host: 'rebound.example' })).status).toBe(
      403,
    );
  });
});
