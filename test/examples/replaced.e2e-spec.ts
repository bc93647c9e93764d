import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { connect, type WebSocketConstructor } from '../../src/client/index.js';
import { webSocketOrSse } from '../../src/client/sse.js';
import { Live } from '../../src/core/live.js';
import { LiveTopic } from '../../src/index.js';
import { sleep, until } from '../brokers/support/waiting.js';
import { balancers } from '../support/documented-proxies.js';
import { type LiveApp, startLiveApp } from '../support/live-app.js';
import { describeWith, redisServer } from '../support/programs.js';
import { freePort, RedisServer } from '../support/redis-server.js';
import { thorough } from '../support/thorough.js';

/** With fewer than 20 on an instance, its clients get no slots. */
const clients = 60;

@LiveTopic('news/*', { history: { size: 5_000 } })
class News {
  canSubscribe(): boolean {
    return true;
  }
}

class AsAnn extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { headers: { authorization: 'Bearer ann' } });
  }
}

/** The ways in. A browser has to be without WebSockets for the second one. */
const doors = {
  WebSockets: () => ({ webSocket: AsAnn as unknown as WebSocketConstructor }),
  'event streams': () => ({ credential: 'ann', webSocket: webSocketOrSse({ webSocket: null }) }),
} as const;

type Door = (typeof doors)[keyof typeof doors];

/** A client that notes what it receives. */
async function follow(port: number, door: Door) {
  const client = connect(`ws://127.0.0.1:${String(port)}/live`, door());
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

/**
 * nginx and HAProxy ask the other instance after a `503`. Apache and Caddy pass it to the client,
 * and do not use the instance for a second. The instances are replaced on their own ports, so a
 * proxy keeps its configuration.
 */
for (const { program, start } of balancers) {
  describeWith(program)(`Two instances behind ${program.name}`, () => {
    describeWith(redisServer)('which share Redis', () => {
      it.each(
        (Object.keys(doors) as (keyof typeof doors)[]).filter((name) => thorough || name === 'WebSockets'),
      )(
        `clients with %s behind ${program.name} receive each publication once while both instances are replaced`,
        async (name) => {
          const redis = await RedisServer.start();
          onTestFinished(() => redis.stop());
          const instance = async (port = 0): Promise<LiveApp> => {
            const broker = new RedisBroker({ url: redis.url });
            const options = { port, broker, sse: true, trustedProxies: 1, drainWindowMs: 2_000 };
            const started = await startLiveApp({ options, providers: [News] });
            await until('it is available', () => started.app.get(Live).available, 10_000);
            return started;
          };
          const ports = [await freePort(), await freePort()];
          const instances = [await instance(ports[0]), await instance(ports[1])];
          const publisher = await instance();
          const port = await freePort();
          await start(port, ports);
          const all = await Promise.all(Array.from({ length: clients }, () => follow(port, doors[name])));

          let sent = 0;
          const over = new AbortController();
          const publishing = (async () => {
            // A client may be away for 300 publications, so for the longest back-off.
            for (; !over.signal.aborted; await sleep(70)) await publisher.live.publish('news/1', sent++);
          })();
          const connections = () => instances.reduce((sum, { app }) => sum + app.get(Live).registry.size, 0);
          for (const i of [0, 1]) {
            const left = instances[i];
            expect(left?.app.get(Live).registry.size).toBeGreaterThan(0);
            await left?.app.close();
            instances[i] = await instance(ports[i]);
            await until('everybody is back', () => connections() === clients, 25_000);
          }
          over.abort();
          await publishing;

          const everything = Array.from({ length: sent }, (_, i) => i);
          await until('all have everything', () => all.every(({ heard }) => heard.length >= sent), 25_000);
          for (const { heard, client } of all)
            expect([heard, client.status.state]).toEqual([everything, 'open']);
        },
        120_000,
      );
    });
  });
}
