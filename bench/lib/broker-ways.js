// Two ways from one process to another through Redis: nestjs-live, and the minimum written by hand.
import { createClient } from '@redis/client';
import { createHash } from 'node:crypto';

/** Stores and sends only, without idempotency, version, epoch, latest or byte limit. */
const rawScript = `
redis.call('XADD', KEYS[1], 'MAXLEN', '=', 100, '*', 'd', ARGV[1])
return redis.call('PUBLISH', KEYS[2], ARGV[1])`;
const rawSha = createHash('sha1').update(rawScript).digest('hex');

const history = { size: 100, ttlMs: 300_000, maxBytes: 1_048_576 };

async function ours(dist, url) {
  const { RedisBroker } = await import(`${dist}brokers/redis/index.js`);
  const broker = new RedisBroker({ url });
  let take = (_data) => {};
  await new Promise((available) => {
    broker.start({
      publication: (_topic, _epoch, { data }) => take(data),
      suspect() {},
      availability: (is) => is && available(),
      signal() {},
    });
  });
  return {
    publish: (data) => broker.publish('news', data, { history }),
    store: (data) => broker.publish('news', data, { history }),
    async read(handler) {
      take = handler;
      await broker.subscribe('news');
    },
    close: () => broker.close(),
  };
}

async function raw(_dist, url) {
  const [commands, subscriber] = [createClient({ url }), createClient({ url })];
  await Promise.all([commands.connect(), subscriber.connect()]);
  await commands.sendCommand(['SCRIPT', 'LOAD', rawScript]);
  return {
    publish: (data) => commands.publish('{raw}', data),
    store: (data) => commands.sendCommand(['EVALSHA', rawSha, '2', '{raw}:h', '{raw}', data]),
    read: (handler) => subscriber.subscribe('{raw}', handler),
    async close() {
      commands.destroy();
      subscriber.destroy();
    },
  };
}

/** By name: each opens its connections and returns `publish`, `store`, `read` and `close`. */
export const ways = { 'nestjs-live': ours, raw };
