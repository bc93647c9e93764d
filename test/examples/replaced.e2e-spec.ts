import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { connect, type WebSocketConstructor } from '../../src/client/index.js';
import { Live } from '../../src/core/live.js';
import { LiveTopic } from '../../src/index.js';
import { sleep, until } from '../brokers/support/waiting.js';
import { documentedProxies, printed, type Proxy } from '../support/documented-proxies.js';
import { type LiveApp, startLiveApp } from '../support/live-app.js';
import { describeWith, proxies, redisServer } from '../support/programs.js';
import { openFolder, runProxy, writeInto } from '../support/proxy-process.js';
import { freePort, RedisServer } from '../support/redis-server.js';

/** With fewer than 20 on an instance, its clients get no slots. */
const clients = 60;
const compose = readFileSync(resolve(import.meta.dirname, '../../examples/compose/nginx.conf'), 'utf8');

@LiveTopic('news/*', { history: { size: 5_000 } })
class News {
  canSubscribe(): boolean {
    return true;
  }
}

/** The instances are replaced on their own ports, so the proxy keeps its configuration. */
type Start = (port: number, backends: readonly number[]) => Promise<void>;

const nginx: Start = (port, [one = 0, two = 0]) => {
  const folder = openFolder();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/${name};\n`)
    .join('');
  const conf = compose
    .replace('listen 8080', `listen 127.0.0.1:${String(port)}`)
    .replaceAll(/one:\d+/g, `127.0.0.1:${String(one)}`)
    .replaceAll(/two:\d+/g, `127.0.0.1:${String(two)}`)
    .replace('/dev/stdout', `${folder}/access.log`)
    .replace('http {', `http {\n${temporary}`);
  const more = `daemon off; pid ${folder}/pid;`;
  const file = writeInto(folder, 'nginx.conf', conf);
  return runProxy(port, 'nginx', ['-p', folder, '-c', file, '-e', 'stderr', '-g', more]);
};

const fromGuide =
  ({ language, run }: Proxy): Start =>
  (port, backends) =>
    run(printed(language, port, backends), port, openFolder());

/**
 * nginx and HAProxy ask the other instance after a `503`. Apache and Caddy pass it to the client,
 * and do not use the instance for a second.
 */
const balancers = [
  { program: proxies.nginx, start: nginx },
  ...documentedProxies
    .filter(({ language }) => ['haproxy', 'apache', 'caddyfile'].includes(language))
    .map((proxy) => ({ program: proxy.program, start: fromGuide(proxy) })),
];

/** A client that notes what it receives. */
async function follow(port: number) {
  class AsAnn extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { authorization: 'Bearer ann' } });
    }
  }
  const client = connect(`ws://127.0.0.1:${String(port)}/live`, {
    webSocket: AsAnn as unknown as WebSocketConstructor,
  });
  onTestFinished(() => client.close());
  const heard: unknown[] = [];
  await new Promise<void>((started) => {
    client.subscribe('news/1', (message) => {
      if (message.type === 'start') started();
      else heard.push(message.type === 'event' ? message.data : message.type);
    });
  });
  return { client, heard };
}

for (const { program, start } of balancers) {
  describeWith(program)(`Two instances behind ${program.name}`, () => {
    describeWith(redisServer)('which share Redis', () => {
      it(`clients behind ${program.name} receive each publication once while both instances are replaced`, async () => {
        const redis = await RedisServer.start();
        onTestFinished(() => redis.stop());
        const instance = async (port = 0): Promise<LiveApp> => {
          const broker = new RedisBroker({ url: redis.url });
          const options = { port, broker, trustedProxies: 1, drainWindowMs: 2_000 };
          const started = await startLiveApp({ options, providers: [News] });
          await until('it is available', () => started.app.get(Live).available, 10_000);
          return started;
        };
        const ports = [await freePort(), await freePort()];
        const instances = [await instance(ports[0]), await instance(ports[1])];
        const publisher = await instance();
        const port = await freePort();
        await start(port, ports);
        const all = await Promise.all(Array.from({ length: clients }, () => follow(port)));

        let sent = 0;
        const over = new AbortController();
        const publishing = (async () => {
          // A client may be away for 300 publications, so for 6 s.
          for (; !over.signal.aborted; await sleep(20)) await publisher.live.publish('news/1', sent++);
        })();
        const connections = () => instances.reduce((sum, { app }) => sum + app.get(Live).registry.size, 0);
        for (const i of [0, 1]) {
          const left = instances[i];
          expect(left?.app.get(Live).registry.size).toBeGreaterThan(0);
          await left?.app.close();
          instances[i] = await instance(ports[i]);
          await until('everybody is back', () => connections() === clients, 20_000);
        }
        over.abort();
        await publishing;

        const everything = Array.from({ length: sent }, (_, i) => i);
        await until('all have everything', () => all.every(({ heard }) => heard.length >= sent), 20_000);
        for (const { heard, client } of all)
          expect([heard, client.status.state]).toEqual([everything, 'open']);
      }, 90_000);
    });
  });
}
