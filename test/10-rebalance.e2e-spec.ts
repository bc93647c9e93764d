import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { until } from './brokers/support/waiting.js';
import { platforms } from './support/live-app.js';
import { countOf, instancesOnRedis, movingClients, publishing } from './support/moving-clients.js';
import { describeWith, redisServer } from './support/programs.js';

const clients = 40;

describeWith(redisServer)('Two instances on Redis, of which the second has just come', () => {
  it.each(platforms)(
    '[L-10.9] a share of the clients moves without a moment offline and misses nothing, and a plain WebSocket stays, on %s',
    { timeout: 60_000, retry: 3 },
    async (_name, platform) => {
      const instance = await instancesOnRedis();
      const [full, empty] = [await instance({ platform }), await instance({ platform })];
      let { url } = full;
      const all = await movingClients(clients, () => url);
      const plain = new WebSocket(url, ['live.v1'], { headers: { authorization: 'Bearer bob' } });
      onTestFinished(() => plain.terminate());
      await until('the plain WebSocket is open', () => plain.readyState === WebSocket.OPEN, 5_000);
      url = empty.url;
      const publisher = publishing(empty.live, all);
      // Every second one, from the oldest to the newest: the plain one is the last of 41.
      const half = await full.live.rebalance({ share: 0.5, windowMs: 1_000 });
      expect(half).toEqual({ connections: clients + 1, asked: 21, left: 20 });
      expect([countOf(full), countOf(empty)]).toEqual([21, 20]);
      const everything = await publisher.stop();
      for (const { heard } of all) expect(heard).toEqual(everything);
      expect(all.filter(({ states }) => states.join() === 'open')).toHaveLength(20);
      expect(all.filter(({ states }) => states.length === 0)).toHaveLength(20);
      expect(plain.readyState).toBe(WebSocket.OPEN);
    },
  );
});
