import { createClient } from '@redis/client';
import { natsVersion, startNats } from './nats-server.js';
import { redisVersion, startRedis } from './redis-server.js';

/**
 * The stores that a broker's calls can be measured through. `start()` returns the URL and the
 * store's costs since `reset()`: microseconds (Redis: in scripts, NATS: CPU of the
 * process), and bytes through its sockets if the store counts them. `judged` is the column that a
 * build is judged by: NATS' CPU time includes what its threads do besides.
 */
export const engines = {
  redis: { title: 'Redis', program: 'redis-server', version: redisVersion(), judged: 0, start: startOnRedis },
  nats: { title: 'NATS', program: 'nats-server', version: natsVersion(), judged: 1, start: startOnNats },
};

/**
 * A broker of any build on a started store.
 *
 * @param {{ engine: string, url: string, prefix: string }} store
 * @param {string} dist
 */
export async function brokerOn({ engine, url, prefix }, dist) {
  if (engine === 'nats') {
    const { NatsBroker } = await import(`${dist}brokers/nats/index.js`);
    return new NatsBroker({ url, stream: { prefix }, callTimeoutMs: 60_000 });
  }
  const { RedisBroker } = await import(`${dist}brokers/redis/index.js`);
  return new RedisBroker({ url, prefix: `${prefix}:`, callTimeoutMs: 60_000, probeTimeoutMs: 20_000 });
}

async function startOnRedis() {
  const redis = await startRedis();
  const admin = await createClient({ url: redis.url }).connect();
  return {
    url: redis.url,
    reset: () => admin.sendCommand(['CONFIG', 'RESETSTAT']),
    async figures() {
      const scripts = String(await admin.sendCommand(['INFO', 'commandstats'])).matchAll(
        /^cmdstat_eval(?:sha)?:calls=\d+,usec=(\d+)/gm,
      );
      const stats = String(await admin.sendCommand(['INFO', 'stats']));
      const count = (field) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(stats)?.[1]);
      const usec = [...scripts].reduce((sum, [, each]) => sum + Number(each), 0);
      return { usec, bytes: count('total_net_input_bytes') + count('total_net_output_bytes') };
    },
    async stop() {
      admin.destroy();
      await redis.stop();
    },
  };
}

async function startOnNats() {
  const nats = await startNats();
  let before = 0;
  return {
    url: nats.url,
    async reset() {
      before = nats.cpuMicros();
    },
    async figures() {
      return { usec: nats.cpuMicros() - before, bytes: Number.NaN };
    },
    stop: () => nats.stop(),
  };
}
