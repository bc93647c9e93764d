import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { Live } from '../../src/core/live.js';
import type { LiveModuleOptions } from '../../src/index.js';
import { documentedProxies, printed, type Proxy } from '../support/documented-proxies.js';
import { type LiveApp, startLiveApp } from '../support/live-app.js';
import { describeWith, proxies } from '../support/programs.js';
import { openFolder } from '../support/proxy-process.js';
import { freePort } from '../support/redis-server.js';

interface Behind {
  readonly port: number;
  readonly instances: readonly LiveApp[];
}

async function start(
  { language, run }: Proxy,
  change: (text: string) => string = (text) => text,
  options: LiveModuleOptions = {},
): Promise<Behind> {
  const instances = [await startLiveApp({ options: { trustedProxies: 1, ...options } })];
  instances.push(await startLiveApp({ options: { trustedProxies: 1, ...options } }));
  const port = await freePort();
  const ports = instances.map(({ url }) => Number(new URL(url).port));
  await run(change(printed(language, port, ports)), port, openFolder());
  return { port, instances };
}

interface Seen {
  /** The first message, or the body of the refusal. */
  readonly body: Record<string, unknown>;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly closed: Promise<number>;
}

/** A client on another address than the proxy's, which claims yet another one. */
function connectThrough(port: number, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(port)}/live`, ['live.v1'], {
    localAddress: '127.0.0.2',
    headers: { 'x-forwarded-for': '203.0.113.66', ...headers },
  });
  onTestFinished(() => socket.terminate());
  const closed = new Promise<number>((done) => socket.on('close', (code) => done(code)));
  socket.on('error', () => {});
  return new Promise((done, failed) => {
    socket.on('message', (data: Buffer) =>
      done({ body: JSON.parse(data.toString()) as never, status: 101, headers: {}, closed }),
    );
    socket.on('unexpected-response', (_request, response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        const body = text.startsWith('{') ? (JSON.parse(text) as never) : ({ text } as never);
        done({ body, status: response.statusCode ?? 0, headers: response.headers, closed });
      });
    });
    void closed.then((code) => failed(new Error(`Closed with ${String(code)} before anything came`)));
  });
}

const remoteAddresses = (instances: readonly LiveApp[]): string[] =>
  instances.flatMap(({ app }) => [...app.get(Live).registry].map(({ remoteAddr }) => remoteAddr));

for (const proxy of documentedProxies) {
  describeWith(proxy.program)(`docs/scaling.md: the configuration for ${proxy.program.name}`, () => {
    it(`${proxy.program.name} passes client addresses, refusals and a drain on`, async () => {
      const { port, instances } = await start(proxy);
      const ann = { authorization: 'Bearer ann', origin: 'https://app.example' };
      const clients = [await connectThrough(port, ann), await connectThrough(port, ann)];
      for (const { body } of clients) expect(body).toMatchObject({ type: 'welcome', user: { id: 'ann' } });
      expect(remoteAddresses(instances)).toEqual(['127.0.0.2', '127.0.0.2']);
      const refused = await connectThrough(port);
      expect([refused.status, refused.body, refused.headers['www-authenticate']]).toEqual([
        401,
        { statusCode: 401, error: 'Unauthorized', message: 'Unauthorized' },
        'Bearer',
      ]);
      // The origin comes through: with a cookie it is refused if allowedOrigins is not set.
      const page = await connectThrough(port, { ...ann, cookie: 'a=b' });
      expect([page.status, page.body]).toMatchObject([
        403,
        { message: 'Origin refused: origin-with-cookie' },
      ]);
      await Promise.all(instances.map(({ app }) => app.close()));
      expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([1001, 1001]);
    }, 60_000);

    const { upgrades } = proxy;
    if (upgrades === undefined) return;
    it(`[L-1.8] clients behind ${proxy.program.name} without its Upgrade line get 426`, async () => {
      const { port } = await start(proxy, (text) => text.replaceAll(new RegExp(upgrades, 'gm'), ''));
      const { status, body } = await connectThrough(port, { authorization: 'Bearer ann' });
      expect([status, body['message']]).toEqual([
        426,
        'The Upgrade header is missing: a proxy in front must pass Upgrade and Connection',
      ]);
    }, 60_000);
  });
}

describeWith(proxies.haproxy)('docs/scaling.md: HAProxy in mode tcp', () => {
  it.each(['send-proxy', 'send-proxy-v2'])(
    '[L-9.14] the %s header of HAProxy in TCP mode gives the client address',
    async (sends) => {
      const [haproxy] = documentedProxies;
      if (haproxy === undefined) throw new Error('There is no HAProxy');
      const inTcp = (text: string): string =>
        text
          .replace('mode http', 'mode tcp')
          .replaceAll(/^ +(?:http-request|option httpchk|retry-on) .*\n/gm, '')
          .replaceAll(/check port \d+/g, sends);
      const options = { trustedProxies: ['127.0.0.1'], proxyProtocol: true };
      const { port, instances } = await start(haproxy, inTcp, options);
      const { body } = await connectThrough(port, { authorization: 'Bearer ann' });
      expect([body['type'], remoteAddresses(instances)]).toEqual(['welcome', ['127.0.0.2']]);
    },
  );
});
