import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { RedisBroker } from '../src/brokers/redis/index.js';
import { connect, type LiveStatus, type WebSocketConstructor } from '../src/client/index.js';
import { Live } from '../src/core/live.js';
import { LiveTopic } from '../src/index.js';
import { sleep, until } from './brokers/support/waiting.js';
import { platforms, startLiveApp } from './support/live-app.js';
import { describeWith, redisServer } from './support/programs.js';
import { RedisServer } from './support/redis-server.js';

const clients = 40;
const topic = 'news/1';

@LiveTopic('news/*', { history: { size: 1_000 } })
class News {
  canSubscribe(): boolean {
    return true;
  }
}

describeWith(redisServer)('Two instances on Redis, of which the second has just come', () => {
  it.each(platforms)(
    '[L-10.9] a share of the clients moves without a moment offline and misses nothing, and a plain WebSocket stays, on %s',
    { timeout: 60_000, retry: 3 },
    async (_name, platform) => {
      const redis = await RedisServer.start();
      onTestFinished(() => redis.stop());
      const instance = () =>
        startLiveApp({
          platform,
          options: { broker: new RedisBroker({ url: redis.url }) },
          providers: [News],
        });
      const [full, empty] = [await instance(), await instance()];
      const count = ({ app }: typeof full): number => app.get(Live).registry.size;
      await until(
        'both are available',
        () => [full, empty].every(({ app }) => app.get(Live).available),
        10_000,
      );
      let { url } = full;
      class Balanced extends WebSocket {
        constructor(_url: string, protocols: string[]) {
          super(url, protocols, { headers: { authorization: 'Bearer ann' } });
        }
      }
      const all = Array.from({ length: clients }, () => {
        const heard: unknown[] = [];
        const states: LiveStatus['state'][] = [];
        const client = connect('ws://balanced.invalid', {
          webSocket: Balanced as unknown as WebSocketConstructor,
        });
        onTestFinished(() => client.close());
        const started = new Promise<void>((resolve) => {
          client.subscribe(topic, (message) => {
            if (message.type === 'start') resolve();
            else heard.push(message.type === 'event' ? message.data : message.type);
          });
        });
        return { client, heard, states, started };
      });
      await Promise.all(all.map(({ started }) => started));
      const plain = new WebSocket(url, ['live.v1'], { headers: { authorization: 'Bearer bob' } });
      onTestFinished(() => plain.terminate());
      await until('the plain WebSocket is open', () => plain.readyState === WebSocket.OPEN, 5_000);
      for (const { client, states } of all) client.on('status', ({ state }) => void states.push(state));
      url = empty.url;
      let sent = 0;
      const publisher = { isOver: false };
      const publishing = (async () => {
        for (; !publisher.isOver; await sleep(10)) await empty.live.publish(topic, sent++);
      })();
      // Every second one, from the oldest to the newest: the plain one is the last of 41.
      const half = await full.live.rebalance({ share: 0.5, windowMs: 1_000 });
      expect(half).toEqual({ connections: clients + 1, asked: 21, left: 20 });
      expect([count(full), count(empty)]).toEqual([21, 20]);
      publisher.isOver = true;
      await publishing;
      const everything = Array.from({ length: sent }, (_, i) => i);
      await until('everybody has everything', () => all.every(({ heard }) => heard.length >= sent), 10_000);
      for (const { heard } of all) expect(heard).toEqual(everything);
      expect(all.filter(({ states }) => states.join() === 'open')).toHaveLength(20);
      expect(all.filter(({ states }) => states.length === 0)).toHaveLength(20);
      expect(plain.readyState).toBe(WebSocket.OPEN);
    },
  );
});
