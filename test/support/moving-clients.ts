import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { RedisBroker } from '../../src/brokers/redis/index.js';
import { connect, type LiveStatus, type WebSocketConstructor } from '../../src/client/index.js';
import { Live } from '../../src/core/live.js';
import { LiveTopic, type LiveService } from '../../src/index.js';
import { sleep, until } from '../brokers/support/waiting.js';
import { startLiveApp } from './live-app.js';
import { RedisServer } from './redis-server.js';

type Instance = Awaited<ReturnType<typeof startLiveApp>>;

/** The topic of all clients, with a history. */
const topic = 'news/1';

@LiveTopic('news/*', { history: { size: 10_000 } })
class News {
  canSubscribe(): boolean {
    return true;
  }
}

/** Starts a Redis server. Returns a function that starts an instance and waits for its broker. */
export async function instancesOnRedis(): Promise<
  (setup?: Parameters<typeof startLiveApp>[0]) => Promise<Instance>
> {
  const redis = await RedisServer.start();
  onTestFinished(() => redis.stop());
  return async ({ options, ...setup } = {}) => {
    const instance = await startLiveApp({
      ...setup,
      options: { broker: new RedisBroker({ url: redis.url }), ...options },
      providers: [News],
    });
    await until('the broker is available', () => instance.app.get(Live).available, 10_000);
    return instance;
  };
}

/** The number of connections of an instance. */
export const countOf = ({ app }: Instance): number => app.get(Live).registry.size;

/** One client of the library, and what it noticed since it started. */
interface MovingClient {
  /** Numbers of the publications, and types of other messages. */
  readonly heard: unknown[];
  readonly states: LiveStatus['state'][];
  /** What happened on its sockets, in order: `handshake`, `subscribed`, `close <reason>`. */
  readonly steps: string[];
}

/** Clients that dial whatever address `where` returns, as behind a load balancer. */
export async function movingClients(count: number, where: () => string): Promise<MovingClient[]> {
  const all = Array.from({ length: count }, () => {
    const noticed: MovingClient = { heard: [], states: [], steps: [] };
    class Balanced extends WebSocket {
      constructor(_url: string, protocols: string[]) {
        super(where(), protocols, { headers: { authorization: 'Bearer ann' } });
        noticed.steps.push('handshake');
        this.on('message', (data: Buffer) => {
          if (String(data).includes('"type":"subscribed"')) noticed.steps.push('subscribed');
        });
      }

      override close(code?: number, reason?: string): void {
        noticed.steps.push(`close ${String(reason)}`);
        super.close(code, reason);
      }
    }
    const client = connect('ws://balanced.invalid', {
      webSocket: Balanced as unknown as WebSocketConstructor,
    });
    onTestFinished(() => client.close());
    const started = new Promise<void>((resolve) => {
      client.subscribe(topic, (message) => {
        if (message.type === 'start') resolve();
        else noticed.heard.push(message.type === 'event' ? message.data : message.type);
      });
    });
    return { client, noticed, started };
  });
  await Promise.all(all.map(({ started }) => started));
  for (const { client, noticed } of all) {
    noticed.steps.length = 0;
    client.on('status', ({ state }) => void noticed.states.push(state));
  }
  return all.map(({ noticed }) => noticed);
}

/**
 * Publishes 0, 1, 2 … each 10 ms until `stop`, which returns all of them once every client has as
 * many.
 */
export function publishing(
  live: LiveService,
  clients: readonly MovingClient[],
): { stop(): Promise<number[]> } {
  let sent = 0;
  const publisher = { isOver: false };
  const over = (async () => {
    for (; !publisher.isOver; await sleep(10)) await live.publish(topic, sent++);
  })();
  return {
    async stop() {
      publisher.isOver = true;
      await over;
      const hasAll = (): boolean => clients.every(({ heard }) => heard.length >= sent);
      await until('everybody has everything', hasAll, 10_000);
      return Array.from({ length: sent }, (_, i) => i);
    },
  };
}
