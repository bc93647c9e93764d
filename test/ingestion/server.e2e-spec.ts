import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { LiveTestClient } from '../../src/testing/index.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';
import { pageCookie, type RunningServer, startServer } from '../support/spawned-server.js';
import { sleep } from '../brokers/support/waiting.js';

/** Runs redis-cli, as a process without the library does. */
function redisCli(redis: RedisServer, ...command: readonly string[]): string {
  return execFileSync('redis-cli', ['-p', String(redis.port), ...command], { encoding: 'utf8' }).trim();
}

const startIngesting = (url: string): Promise<RunningServer> =>
  startServer({ LIVE_BROKER_URL: url, LIVE_INGEST: 'true', LIVE_DEMO: 'false' });

async function ready({ http }: RunningServer): Promise<void> {
  while ((await fetch(`${http}/health/ready`)).status !== 200) await sleep(20);
}

async function reader(running: RunningServer, topic: string): Promise<LiveTestClient> {
  await ready(running);
  const client = await LiveTestClient.connect(running.sockets, {
    headers: { cookie: await pageCookie(running.http), origin: running.http },
    timeoutMs: 15_000,
  });
  await client.request({ type: 'subscribe', id: 1, topic });
  return client;
}

describeWith(redisServer)('The server with LIVE_INGEST', () => {
  it('[S17] an entry that redis-cli adds to live:in reaches the clients of every instance', async () => {
    const redis = await RedisServer.start();
    const [one, two] = await Promise.all([startIngesting(redis.url), startIngesting(redis.url)]);
    const clients = [await reader(one, 'fleet/7'), await reader(two, 'fleet/7')];
    redisCli(redis, 'XADD', 'live:in', '*', 'topic', 'fleet/7', 'data', '{"speed":42}', 'key', 'v1');
    for (const client of clients) {
      const event = { topic: 'fleet/7', offset: 1, data: { speed: 42 }, key: 'v1' };
      expect(await client.nextOf('event')).toMatchObject(event);
      void client.close();
    }
    const scraped = await Promise.all(
      [one, two].map(async ({ http }) => (await fetch(`${http}/metrics`)).text()),
    );
    expect(scraped.filter((text) => /^processor_live_ingesting 1$/m.test(text))).toHaveLength(1);
    expect(scraped.filter((text) => text.includes('live_ingested_total{result="published"} 1'))).toHaveLength(
      1,
    );
  }, 40_000);

  it('an entry is published once although the server is killed between publishing and acknowledging', async () => {
    const redis = await RedisServer.start();
    // A user without XACK never gets beyond that point.
    redisCli(redis, 'ACL', 'SETUSER', 'unable', 'on', '>secret', '~*', '&*', '+@all', '-xack');
    redisCli(redis, 'XADD', 'live:in', '*', 'topic', 'fleet/7', 'data', '"once"');
    const doomed = await startIngesting(redis.url.replace('//', '//unable:secret@'));
    const witness = await reader(doomed, 'fleet/7');
    await doomed.server.logged('failed: ingesting from Redis');
    doomed.server.kill('SIGKILL');
    await doomed.server.exit;
    expect(doomed.server.stdout).not.toContain('secret');
    expect(redisCli(redis, 'XPENDING', 'live:in', 'live').split('\n')[0]).toBe('1');
    const offsets = witness.transcript.filter(({ type }) => type === 'event').map(({ offset }) => offset);
    expect(offsets.length).toBeLessThanOrEqual(1);

    const next = await startIngesting(redis.url);
    const client = await reader(next, 'fleet/7');
    redisCli(redis, 'XADD', 'live:in', '*', 'topic', 'fleet/7', 'data', '"after"');
    expect(await client.nextOf('event')).toMatchObject({ offset: 2, data: 'after' });
    const history = redisCli(redis, 'XRANGE', 'live:{fleet/7}:h', '-', '+');
    expect(history.match(/"once"/g)).toHaveLength(1);
    // The event may arrive before the entry is removed.
    while (redisCli(redis, 'XLEN', 'live:in') !== '0') await sleep(20);
    void client.close();
  }, 60_000);

  it('invalid entries become dead letters and log lines, and the server stops with exit code 0', async () => {
    const redis = await RedisServer.start();
    const running = await startIngesting(redis.url);
    await ready(running);
    redisCli(redis, 'XADD', 'live:in', '*', 'topic', '/etc', 'data', '1');
    redisCli(redis, 'XADD', 'live:in', '*', 'topic', 'fleet/7', 'data', '{');
    redisCli(redis, 'XADD', 'live:in', '*', 'hello', 'world');
    while (redisCli(redis, 'XLEN', 'live:in:dead') !== '3') await sleep(20);
    const letters = redisCli(redis, 'XRANGE', 'live:in:dead', '-', '+');
    expect(letters).toContain('validation-failed: This is not a topic name [L-3.1]');
    expect(letters).toContain('the data is not JSON text in UTF-8');
    expect(letters).toContain('the field "topic" is missing');
    expect(redisCli(redis, 'XLEN', 'live:in')).toBe('0');
    await running.server.logged('failed: publishing an entry of live:in, see live:in:dead');
    running.server.kill('SIGTERM');
    expect(await running.server.exit).toBe(0);
    expect(redisCli(redis, 'EXISTS', 'live:in:lease')).toBe('0');
  }, 40_000);
});
