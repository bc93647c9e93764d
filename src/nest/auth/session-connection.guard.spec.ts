import {
  IncomingMessage,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  ServerResponse,
  createServer,
} from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { inspect } from 'node:util';
import { type ExecutionContext, HttpException } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIVE_OPTIONS } from '../options/live.tokens.js';
import { connectionIdentityOf } from './connection-identity.js';
import { SessionConnectionGuard } from './session-connection.guard.js';

let server: Server;
let url: string;
let asked: IncomingMessage[];
let answer: RequestListener;
const json =
  (value: unknown, status = 200): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

beforeEach(async () => {
  asked = [];
  answer = json({ id: 'u1', name: 'Ada' });
  server = createServer((request, response) => {
    asked.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/me?full=1`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
});

const guardFor = (options: object = {}) => new SessionConnectionGuard({ session: { url, ...options } });

async function show(
  guard: SessionConnectionGuard,
  headers: IncomingHttpHeaders = { cookie: 'sid=hush-hush' },
) {
  const request = Object.assign(new IncomingMessage(new Socket()), { headers });
  const response = new ServerResponse(request);
  const context = { switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }) };
  const outcome: unknown = await guard
    .canActivate(context as unknown as ExecutionContext)
    .catch((e: unknown) => e);
  const status = outcome instanceof HttpException ? outcome.getStatus() : outcome;
  return { status, outcome, identity: connectionIdentityOf(request), headers: response.getHeaders() };
}

describe('SessionConnectionGuard', () => {
  it('[L-1.6] a session known to the backend is accepted with the identity that it returns', async () => {
    const { status, identity, headers } = await show(guardFor());
    expect({ status, identity, headers }).toEqual({
      status: true,
      identity: { user: { id: 'u1', name: 'Ada' } },
      headers: {},
    });
  });

  it("[L-1.6] the backend receives the client's cookies and nothing else", async () => {
    const others = {
      authorization: 'Bearer hush',
      origin: 'https://o.example',
      host: 'evil',
      'x-forwarded-for': '1.2.3.4',
    };
    await show(guardFor(), {
      ...others,
      cookie: ' a=b; sid=hush-hush ',
      accept: 'text/html',
      'user-agent': 'evil',
    });
    const [request] = asked;
    expect(request).toMatchObject({ method: 'GET', url: '/me?full=1' });
    expect(request?.headers).toMatchObject({ cookie: 'a=b; sid=hush-hush', accept: 'application/json' });
    expect(request?.headers.host).toMatch(/^127\.0\.0\.1:/);
    expect(JSON.stringify(request?.rawHeaders)).not.toMatch(/evil|Bearer|o\.example|1\.2\.3\.4/);
  });

  it.each([undefined, '', '  '])(
    '[L-1.6] the cookie header %j is refused with 401, without asking the backend',
    async (cookie) => {
      const { status, headers } = await show(guardFor(), { authorization: 'Bearer T', cookie });
      expect({ status, headers }).toEqual({
        status: 401,
        headers: { 'www-authenticate': 'Cookie realm="live"' },
      });
      expect(asked).toEqual([]);
    },
  );

  it.each([401, 403])('[L-1.6] a %i of the backend is answered with 401', async (code) => {
    answer = json({ id: 'u1' }, code);
    const { status, headers, identity } = await show(guardFor());
    expect({ status, identity }).toEqual({ status: 401, identity: null });
    expect(headers).toEqual({ 'www-authenticate': 'Cookie realm="live"' });
  });

  it('[L-1.10] a backend without a clear answer causes a 503 with Retry-After', async () => {
    answer = json({ id: 'u1' }, 500);
    const { status, headers, identity } = await show(guardFor());
    expect({ status, identity, headers }).toEqual({
      status: 503,
      identity: null,
      headers: { 'retry-after': 5 },
    });
  });

  it('[L-1.6] neither an error nor the guard shows a cookie', async () => {
    const guard = guardFor({ timeoutMs: 30 });
    await show(guard);
    for (const broken of [json({}, 401), json({}, 500), () => undefined]) {
      answer = broken;
      const { outcome } = await show(guard, { cookie: `sid=hush-${Math.random()}\u0001` });
      expect(inspect(outcome, { depth: 9, showHidden: true })).not.toContain('hush');
    }
    expect(inspect(guard, { depth: 9, showHidden: true })).not.toContain('hush');
  });

  it("[L-1.6] Nest creates the guard from the module's options, and the guard declares that it uses cookies", async () => {
    const providers = [SessionConnectionGuard, { provide: LIVE_OPTIONS, useValue: { session: { url } } }];
    const module = await Test.createTestingModule({ providers }).compile();
    expect(await show(module.get(SessionConnectionGuard))).toMatchObject({ status: true });
    expect(SessionConnectionGuard.usesCookies).toBe(true);
    expect(() => new SessionConnectionGuard({})).toThrow(/"session" is undefined/);
  });
});
