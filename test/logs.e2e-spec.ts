import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Logger,
  RequestMethod,
} from '@nestjs/common';
import { MessageBody, SubscribeMessage } from '@nestjs/websockets';
import { SignJWT } from 'jose';
import { LoggerModule, Logger as PinoLogger } from 'nestjs-pino';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { JwtConnectionGuard, LiveGateway, LiveTopic } from '../src/index.js';
import { liveRedact } from '../src/nest/logging/live-redact.js';
import { HandshakeRefused, LiveTestClient } from '../src/testing/index.js';
import { itOnSockets, onStreams } from './support/door.js';
import {
  type LiveAppOptions,
  OpenTopics,
  type Platform,
  platforms,
  startLiveApp,
} from './support/live-app.js';

type Line = Readonly<Record<string, unknown>>;

/**
 * Everything that pino wrote. One per file, because nestjs-pino has one root logger per process.
 */
const output = {
  text: '',
  write(chunk: string): void {
    output.text += chunk;
  },
  /** Each line parsed. Throws if a line is no JSON or not terminated. */
  lines(): Line[] {
    const texts = output.text.split('\n');
    expect(texts.pop()).toBe('');
    return texts.map((text) => JSON.parse(text) as Line);
  },
  of(msg: string): Line[] {
    return output.lines().filter((line) => line['msg'] === msg);
  },
};

const pinoModule = LoggerModule.forRoot({
  pinoHttp: [{ level: 'trace', redact: liveRedact }, output],
  // The default of nestjs-pino 5.2.1, '{/*splat}', matches no request on Nest 12.5's Fastify.
  forRoutes: [{ path: '/{*splat}', method: RequestMethod.ALL }],
});

/** Unescaped, this would break a line, clear a terminal and forge a log entry. */
const hostile = '\r\n\u001b[2J\u009b2J\u2028{"level":60,"msg":"forged"}';
const canary = 'canary-b5c1f0e2';

class FailingGateway extends LiveGateway {
  @SubscribeMessage('fail')
  fail(): never {
    throw new Error('on purpose');
  }

  @SubscribeMessage('fail-later')
  failLater(): Promise<never> {
    return Promise.reject(new TypeError('on purpose, later'));
  }

  @SubscribeMessage('complain')
  complain(@MessageBody() { about }: { about: string }): never {
    throw new Error(`Cannot handle ${about}`);
  }
}

@LiveTopic('broken/:name')
class BrokenTopics {
  canSubscribe(): never {
    throw new Error(`No rights for ${hostile}`);
  }
}

@Controller('page')
class PageController {
  @Get()
  page(): string {
    return 'a page';
  }

  @Get('broken')
  broken(): never {
    throw Object.assign(new Error('The backend is away'), {
      config: { headers: { authorization: `Bearer ${canary}` } },
    });
  }
}

/** Fails like a guard that calls a backend with axios: the error carries the request. */
class LeakyGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: object }>();
    throw Object.assign(new Error('The backend is away'), { config: { headers } });
  }
}

async function start(platform: Platform, setup: LiveAppOptions = {}) {
  const started = await startLiveApp({
    platform,
    gateway: FailingGateway,
    providers: [OpenTopics, BrokenTopics],
    ...setup,
    imports: [pinoModule],
    before: (app) => app.useLogger(app.get(PinoLogger)),
  });
  const connect = async (token = 'ann') => {
    const client = await LiveTestClient.connect(started.url, { token });
    const { connectionId } = await client.nextOf('welcome');
    return { client, connectionId };
  };
  return { ...started, connect };
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 5_000; !condition();) {
    if (Date.now() > end) throw new Error(`The condition did not come true within 5 s. Log:\n${output.text}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const refusalOf = (url: string, headers: Record<string, string>, protocols: string[] = []) =>
  LiveTestClient.connect(url, { headers, protocols }).then(
    () => 'accepted',
    (error: unknown) => (error instanceof HandshakeRefused ? error.statusCode : error),
  );

const secret = 'a secret of at least thirty-two bytes';

const signed = (exp: number): Promise<string> =>
  new SignJWT({ exp: Math.floor(exp), jti: canary })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ann')
    .sign(new TextEncoder().encode(secret));

/**
 * The token with another signature. The first character changes, since the last has unused bits.
 */
function forged(token: string): string {
  const at = token.lastIndexOf('.') + 1;
  return `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
}

const connectEveryWay = (url: string, token: string): Promise<LiveTestClient[]> =>
  Promise.all([
    LiveTestClient.connect(url, { token }),
    LiveTestClient.connect(url, { headers: { cookie: `sid=${canary}; live_token=${token}` } }),
    LiveTestClient.connect(url, { protocols: ['live.v1', `bearer.${token}`] }),
    LiveTestClient.connect(`${url}?token=${canary}`, { token }),
  ]);

async function refusedEveryWay(url: string, wrong: string): Promise<void> {
  expect(await refusalOf(url, { authorization: `Bearer ${wrong}` })).toBe(401);
  expect(await refusalOf(`${url}?token=${wrong}`, { cookie: `live_token=${wrong}` })).toBe(401);
  expect(await refusalOf(url, {}, ['live.v1', `bearer.${wrong}`])).toBe(401);
}

/** The canary in every place of a message, valid and invalid. */
async function sayEverywhere(client: LiveTestClient, token: string): Promise<void> {
  client.send(`{"type":"${canary}`);
  client.send({ type: canary, id: { canary } });
  client.send({ type: 'auth', token: canary, id: canary });
  client.send({ type: 'subscribe', topic: canary.repeat(20) });
  client.send({ type: 'subscribe', topic: 'open/1', since: canary });
  client.send({ type: 'fail', data: canary, token });
  client.send({ type: 'publish', topic: 'open/1', data: canary, key: canary });
  await client.settle();
}

/** Requests of a browser with all credentials, from a page with one in its address. */
async function askThePages(httpUrl: string, token: string): Promise<void> {
  const headers = {
    authorization: `Bearer ${token}`,
    cookie: `live_token=${token}`,
    'proxy-authorization': canary,
    'sec-websocket-protocol': `live.v1, bearer.${token}`,
    referer: `${httpUrl}/page?token=${canary}`,
  };
  for (const path of ['/page', '/page/broken', '/nothing'])
    await (await fetch(`${httpUrl}${path}?token=${canary}`, { headers })).text();
}

beforeEach(() => {
  output.text = '';
});

afterAll(() => {
  Logger.overrideLogger(false);
});

describe.each(platforms)('the log, with nestjs-pino on %s', (_name, platform) => {
  it('[S2] starting and ready are logged with host and port, [S16] and so are stopping and stopped', async () => {
    const { app, url } = await start(platform);
    await app.close();
    const entries = output.lines().filter(({ context }) => context === 'Live');
    const [host, port] = ['127.0.0.1', Number(new URL(url).port)];
    expect(entries.map(({ msg, host, port, url }) => ({ msg, host, port, url }))).toMatchObject([
      { msg: 'starting', host, port: 0 },
      { msg: 'ready', host, port, url },
      ...(process.listenerCount('SIGTERM') === 0
        ? [{ msg: expect.stringContaining('SIGTERM') as string }]
        : []),
      { msg: 'stopping' },
      { msg: 'drained' },
      { msg: 'stopped' },
    ]);
  });

  // A stream has no close code of its client [L-12.6].
  itOnSockets('[S14] a closed connection is logged at debug with its id, code and reason', async () => {
    const { connect } = await start(platform);
    const { client, connectionId } = await connect();
    client.socket.close(4321, 'enough seen');
    await until(() => output.of('connection closed').length > 0);
    const line = { level: 20, context: 'Live', connectionId };
    expect(output.of('connection opened')).toMatchObject([
      { ...line, userId: 'ann', remoteAddr: '127.0.0.1' },
    ]);
    expect(output.of('connection closed')).toMatchObject([{ ...line, code: 4321, reason: 'enough seen' }]);
  });

  it.each([
    ['throws', 'fail', { type: 'Error', message: 'on purpose' }],
    ['rejects', 'fail-later', { type: 'TypeError', message: 'on purpose, later' }],
  ])(
    "[S8] a handler that %s is logged with the connection's id, and the connection stays open",
    async (_how, type, err) => {
      const { connect } = await start(platform);
      const { client, connectionId } = await connect();
      expect(await client.request({ type, id: 1 })).toMatchObject({ type: 'error', code: 'internal' });
      const stack = expect.stringContaining('logs.e2e-spec') as string;
      const errors = output.lines().filter(({ level }) => Number(level) >= 50);
      expect(errors).toMatchObject([{ level: 50, context: 'Live', connectionId, err: { ...err, stack } }]);
      expect(await client.request({ type: 'ping', id: 2 })).toEqual({ type: 'pong', id: 2 });
      expect(output.of('connection closed')).toEqual([]);
    },
  );

  itOnSockets('[L-2.11] hostile text is logged as one valid JSON line per entry', async () => {
    const { connect } = await start(platform);
    const { client } = await connect('eve\u009b2J');
    client.send({ type: 'subscribe', topic: hostile });
    client.send({ type: hostile });
    client.send(hostile);
    await client.request({ type: 'complain', id: 1, about: `topic ${hostile}` });
    await client.request({ type: 'subscribe', id: 2, topic: 'broken/1' });
    client.socket.close(4000, hostile);
    await until(() => output.of('connection closed').length > 0);
    expect(output.lines().filter(({ msg, level }) => msg === 'forged' || level === 60)).toEqual([]);
    const messages = output
      .lines()
      .flatMap(({ err }) => (err === undefined ? [] : [(err as Line)['message']]));
    expect(messages).toEqual([`Cannot handle topic ${hostile}`, `No rights for ${hostile}`]);
    expect(output.of('connection opened')).toMatchObject([{ userId: 'eve\\u{9b}2J' }]);
    expect(output.of('connection closed')).toMatchObject([
      { reason: '\\u{d}\\u{a}\\u{1b}[2J\\u{9b}2J\\u{2028}{"level":60,"msg":"forged"}' },
    ]);
    expect([...output.text].filter((character) => character < ' ' && character !== '\n')).toEqual([]);
  });

  it.each([0, 'app'] as const)(
    '[L-1.3] the log contains no credential, whatever carried it (port %s)',
    async (port) => {
      const { app, url, httpUrl } = await start(platform, {
        options: { port, jwt: { secret } },
        guards: [JwtConnectionGuard],
        controllers: [PageController],
        listen: true,
      });
      const token = await signed(Date.now() / 1_000 + 600);
      const expired = await signed(1_000);
      const accepted = await connectEveryWay(url, token);
      for (const wrong of [canary, expired, forged(token)]) await refusedEveryWay(url, wrong);
      for (const client of accepted) await sayEverywhere(client, token);
      await askThePages(httpUrl, token);
      await app.close();
      // These entries must exist, so that the test does not pass because nothing was logged.
      for (const msg of ['connection opened', 'connection closed', 'failed: handling a message'])
        expect([msg, output.of(msg).length]).toEqual([msg, accepted.length]);
      const requests = output.lines().flatMap(({ req }) => (req === undefined ? [] : [(req as Line)['url']]));
      expect(requests).toEqual(expect.arrayContaining(['/page?[redacted]', '/nothing?[redacted]']));
      // On streams, each client has a secret of its session.
      const sessions = accepted.flatMap(({ socket }) => (socket as { session?: string }).session ?? []);
      const secrets = sessions.map((session) => session.split('.')[1] ?? '');
      expect(secrets).toHaveLength(onStreams ? accepted.length : 0);
      const parts = [token, expired].flatMap((each) => each.split('.').slice(1));
      const pieces = [canary, token, ...parts, ...secrets];
      expect(pieces.filter((piece) => output.text.includes(piece))).toEqual([]);
    },
  );

  it('[L-1.10] the failure of a guard is logged without the request that its error carries', async () => {
    const { url } = await start(platform, { guards: [LeakyGuard] });
    expect(await refusalOf(url, { cookie: `sid=${canary}`, authorization: `Bearer ${canary}` })).toBe(503);
    expect(output.of('failed: deciding a handshake')).toMatchObject([
      { level: 50, err: { message: 'The backend is away', config: '[redacted]' } },
    ]);
    expect(output.text).not.toContain(canary);
  });
});
