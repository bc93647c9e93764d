import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type IngestPublish,
  RedisIngestion,
  type RedisIngestionOptions,
} from '../../src/brokers/redis/index.js';
import { LiveError } from '../../src/protocol/live.error.js';
import { sleep, until } from '../brokers/support/waiting.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis-server.js';

/** Records publications like a broker: each idempotency key is stored once. */
class Published {
  readonly stored: { readonly topic: string; readonly data: unknown; readonly options: unknown }[] = [];
  calls = 0;
  private readonly keys = new Set<string>();

  readonly publish: IngestPublish = async (topic, data, options) => {
    this.calls += 1;
    const key = `${topic} ${options.idempotencyKey}`;
    if (this.keys.has(key)) return { suppressed: 'duplicate' };
    this.keys.add(key);
    this.stored.push({ topic, data: data?.value, options });
    return {};
  };

  of(topic: string): unknown[] {
    return this.stored.filter((each) => each.topic === topic).map(({ data }) => data);
  }
}

function ingest(redis: RedisServer, options: Partial<RedisIngestionOptions> = {}): RedisIngestion {
  const publish: IngestPublish = async () => ({});
  const ingestion = new RedisIngestion({ url: redis.url, publish, ...options });
  ingestion.start();
  onTestFinished(() => ingestion.close());
  return ingestion;
}

const add = (redis: RedisServer, ...fields: readonly string[]): Promise<unknown> =>
  redis.run('XADD', 'live:in', '*', ...fields);

const lengthOf = async (redis: RedisServer, stream: string): Promise<number> =>
  Number(await redis.run('XLEN', stream));

/** Adds `count` entries to each topic, numbered from 1. */
async function addMany(redis: RedisServer, topics: readonly string[], count: number): Promise<void> {
  const admin = await redis.admin();
  // All at once, so that a slow machine does not publish some before all are added.
  const adds: Promise<unknown>[] = [];
  for (let n = 1; n <= count; n++)
    for (const topic of topics)
      adds.push(admin.sendCommand(['XADD', 'live:in', '*', 'topic', topic, 'data', String(n)]));
  await Promise.all(adds);
  admin.destroy();
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);

async function deadLetters(redis: RedisServer): Promise<Record<string, string>[]> {
  const entries = (await redis.run('XRANGE', 'live:in:dead', '-', '+')) as [string, string[]][];
  return entries.map(([, values]) =>
    Object.fromEntries(values.flatMap((name, i) => (i % 2 === 0 ? [[name, values[i + 1] ?? '']] : []))),
  );
}

describeWith(redisServer)('RedisIngestion', () => {
  it('ingestion publishes entries added before and after it started, and removes them from the stream', async () => {
    const redis = await RedisServer.start();
    const first = await add(redis, 'topic', 'fleet/7', 'data', '{"speed":42}', 'color', 'red');
    const published = new Published();
    const ingestion = ingest(redis, { publish: published.publish });
    await until('the first', () => published.stored.length === 1, 5_000);
    await add(redis, 'topic', 'fleet/7', 'data', '[1]', 'key', 'v1', 'id', 'mine', 'version', '-3');
    await until('the second', () => published.stored.length === 2, 5_000);
    await add(redis, 'topic', 'fleet/7', 'key', 'v1', 'remove', 'true', 'id', 'gone', 'version', '7');
    await until('the removal', () => published.stored.length === 3, 5_000);
    expect(published.stored).toEqual([
      { topic: 'fleet/7', data: { speed: 42 }, options: { idempotencyKey: `in:${String(first)}` } },
      { topic: 'fleet/7', data: [1], options: { idempotencyKey: 'mine', key: 'v1', version: -3 } },
      {
        topic: 'fleet/7',
        data: undefined,
        options: { idempotencyKey: 'gone', key: 'v1', version: 7, remove: true },
      },
    ]);
    await until('all are acknowledged', () => ingestion.stats().publishedTotal === 3, 1_000);
    await ingestion.close();
    expect(await lengthOf(redis, 'live:in')).toBe(0);
    expect(await redis.run('XPENDING', 'live:in', 'live')).toEqual([0, null, null, null]);
  });

  it('[L-4.10] ingestion passes the data on unchanged, so that it cannot grow', async () => {
    const redis = await RedisServer.start();
    const texts: string[] = [];
    const ingestion = ingest(redis, {
      publish: async (_topic, data) => {
        texts.push(String(data?.text));
        return {};
      },
    });
    // Serialized again, each number would have 21 characters.
    const large = `[${Array.from({ length: 60_000 }, () => '1e20').join(',')}]`;
    for (const data of [large, '9007199254740993', ' { "a":1E2 } '])
      await add(redis, 'topic', 'a', 'data', data);
    await until('all are published', () => ingestion.stats().publishedTotal === 3, 5_000);
    expect(texts).toEqual([large, '9007199254740993', ' { "a":1E2 } ']);
  });

  it('ingestion moves entries that can never be published to the dead letters with a reason, and continues', async () => {
    const redis = await RedisServer.start();
    const published = new Published();
    const deadReasons: string[] = [];
    const ingestion = ingest(redis, {
      maxPublicationBytes: 1_000,
      onDeadLetter: (_entry, reason) => deadReasons.push(reason),
      publish: async (topic, data, options) => {
        if (topic === 'nobody/declares') throw new LiveError('validation-failed', 'No declared topic');
        if (topic === 'broken') throw new TypeError('secret');
        return published.publish(topic, data, options);
      },
    });
    await add(redis, 'data', '1');
    await add(redis, 'topic', 'a');
    await add(redis, 'topic', 'a', 'data', '{"half":');
    await add(redis, 'topic', 'a', 'data', '1', 'version', '1.5');
    await add(redis, 'topic', 'a', 'data', JSON.stringify('x'.repeat(1_000)));
    await add(redis, 'topic', 'nobody/declares', 'data', '1', 'key', 'k');
    await add(redis, 'topic', 'broken', 'data', '1');
    await add(redis, 'topic', 'a', 'remove', 'true');
    await add(redis, 'topic', 'a', 'key', 'k', 'remove', '1');
    await add(redis, 'topic', 'a', 'key', 'k', 'remove', 'true', 'data', '1');
    await add(redis, 'topic', 'a', 'data', '"good"');
    await until(
      'all are done',
      () => ingestion.stats().deadLettersTotal === 10 && ingestion.stats().publishedTotal === 1,
      10_000,
    );
    await ingestion.close();
    expect(published.of('a')).toEqual(['good']);
    const letters = await deadLetters(redis);
    const reasons = [
      'the field "topic" is missing',
      'the field "data" is missing',
      'the data is not JSON text in UTF-8 with at most 64 levels',
      'the version is not an integer',
      'the field "remove" needs a field "key"',
      'the field "remove" is not "true"',
      'the fields "data" and "remove" exclude each other',
      'the data has 1002 bytes, more than the allowed 1000',
      'validation-failed: No declared topic',
      'publishing failed',
    ];
    expect(letters.map(({ reason }) => reason).toSorted()).toEqual(reasons.toSorted());
    expect(deadReasons.toSorted()).toEqual(reasons.toSorted());
    expect(letters.find(({ topic }) => topic === 'nobody/declares')).toMatchObject({ data: '1', key: 'k' });
    expect(await lengthOf(redis, 'live:in')).toBe(0);
  });

  it('ingestion refuses invalid UTF-8, and bounds the number and the size of dead letters', async () => {
    const redis = await RedisServer.start();
    const admin = await redis.admin();
    await admin.sendCommand(['XADD', 'live:in', '*', 'topic', 'a', 'data', Buffer.from([0x22, 0xff, 0x22])]);
    for (let i = 0; i < 9; i++)
      await admin.sendCommand(['XADD', 'live:in', '*', 'topic', 'a', 'data', 'x'.repeat(100_000)]);
    admin.destroy();
    const ingestion = ingest(redis, { maxDeadLetters: 5 });
    await until('all are done', () => ingestion.stats().deadLettersTotal === 10, 5_000);
    expect(ingestion.stats().publishedTotal).toBe(0);
    const letters = await deadLetters(redis);
    expect(letters).toHaveLength(5);
    expect(letters.map(({ data = '' }) => data.length)).toEqual(Array.from({ length: 5 }, () => 65_536));
  });

  it('ingestion retries a topic in order while the broker is unavailable, without delaying other topics', async () => {
    const redis = await RedisServer.start();
    const published = new Published();
    let away = true;
    const ingestion = ingest(redis, {
      publish: async (topic, data, options) => {
        if (away && topic === 'a') throw new LiveError('unavailable', 'not now');
        return published.publish(topic, data, options);
      },
    });
    await addMany(redis, ['a', 'b'], 5);
    await until(
      'three attempts, and the other topic',
      () => {
        return ingestion.stats().retriesTotal >= 3 && published.of('b').length > 0;
      },
      5_000,
    );
    expect(published.of('a')).toEqual([]);
    away = false;
    await until('all', () => published.stored.length === 10, 5_000);
    expect([published.of('a'), published.of('b')]).toEqual([upTo(5), upTo(5)]);
    expect(ingestion.stats().deadLettersTotal).toBe(0);
  });

  it('close() finishes the entries in flight and lets the next instance read at once', async () => {
    const redis = await RedisServer.start();
    const published = new Published();
    let begun = 0;
    const one = ingest(redis, {
      leaseMs: 60_000,
      publish: async (topic, data, options) => {
        begun += 1;
        await sleep(20);
        return published.publish(topic, data, options);
      },
    });
    await addMany(redis, ['a'], 10);
    await until('it is at work', () => begun > 0, 5_000);
    await one.close();
    const byTheFirst = published.stored.length;
    expect(byTheFirst).toBe(begun);
    expect(await redis.run('GET', 'live:in:lease')).toBeNull();
    const two = ingest(redis, { publish: published.publish, leaseMs: 60_000 });
    await until('the rest', () => published.stored.length === 10, 5_000);
    expect(published.of('a')).toEqual(upTo(10));
    expect(two.stats().publishedTotal).toBe(10 - byTheFirst);
  });

  it('only one instance reads at a time, and order holds while instances and connections die', async () => {
    const redis = await RedisServer.start();
    const published = new Published();
    const slow: IngestPublish = async (topic, data, options) => {
      await sleep(Math.random() * 4);
      return published.publish(topic, data, options);
    };
    const make = (): RedisIngestion => ingest(redis, { publish: slow, leaseMs: 300, batchSize: 7 });
    const all = [make(), make(), make()];
    await addMany(redis, ['a', 'b', 'c'], 200);
    let seenTogether = 0;
    let killed = 0;
    for (let turn = 0; published.stored.length < 600; turn++) {
      if (turn > 1_500) throw new Error(`Only ${String(published.stored.length)} came`);
      seenTogether = Math.max(seenTogether, all.filter((each) => each.stats().active).length);
      await sleep(15);
      // Every fifth turn cuts all readers' connections. Every tenth replaces the active reader.
      if (turn % 5 === 4)
        killed += Number(await redis.run('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes').catch(() => 0));
      const active = all.findIndex((each) => each.stats().active);
      if (turn % 10 === 9 && active >= 0) {
        void all[active]?.close();
        all[active] = make();
      }
    }
    expect([published.of('a'), published.of('b'), published.of('c')]).toEqual([
      upTo(200),
      upTo(200),
      upTo(200),
    ]);
    expect(killed).toBeGreaterThan(0);
    expect(seenTogether).toBeGreaterThan(0);
  }, 40_000);

  it('nothing is published twice or out of order when a suspended reader resumes', async () => {
    const redis = await RedisServer.start();
    const published = new Published();
    let stuck: (() => void) | undefined;
    const one = ingest(redis, {
      leaseMs: 200,
      publish: async (topic, data, options) => {
        if (data?.value === 3) {
          await new Promise<void>((resolve) => {
            stuck = resolve;
          });
        }
        return published.publish(topic, data, options);
      },
    });
    await addMany(redis, ['a'], 6);
    await until('the first stands still', () => stuck !== undefined, 5_000);
    // A longer lease: a busy machine would lose one of 200 ms to the other reader again.
    const two = ingest(redis, { publish: published.publish, leaseMs: 5_000 });
    await until('the second does the rest', () => published.stored.length === 6, 5_000);
    await addMany(redis, ['b'], 1);
    stuck?.();
    await until('the first has ended its attempt', () => one.stats().suppressedTotal === 1, 5_000);
    await until('all', () => published.stored.length === 7, 5_000);
    expect(published.of('a')).toEqual(upTo(6));
    await until('the first has found that it reads no more', () => !one.stats().active, 5_000);
    expect(two.stats().active).toBe(true);
  });

  it('ingestion reports entries before a group created at "$", and publishes later entries at once', async () => {
    const redis = await RedisServer.start();
    await addMany(redis, ['old'], 3);
    await redis.run('XGROUP', 'CREATE', 'live:in', 'live', '$');
    const published = new Published();
    const said: string[] = [];
    const ingestion = ingest(redis, {
      publish: published.publish,
      onError: (_doing, error) => said.push(String(error)),
    });
    await until('it is said', () => ingestion.stats().unreachable === 3, 10_000);
    expect(said).toEqual([expect.stringContaining('3 entries precede the position of the group "live"')]);
    const latencies: number[] = [];
    for (let n = 1; n <= 5; n++) {
      const startMs = performance.now();
      await add(redis, 'topic', 'new', 'data', String(n));
      await until('it is published', () => published.of('new').length === n, 5_000);
      latencies.push(performance.now() - startMs);
      await sleep(20);
    }
    // A reader that does not know its group's position polls every 500 ms.
    expect(latencies.toSorted((a, b) => a - b)[2]).toBeLessThan(200);
    await redis.run('XGROUP', 'SETID', 'live:in', 'live', '0');
    await until('the old ones are published', () => published.of('old').length === 3, 5_000);
    await until('nothing is left', () => ingestion.stats().unreachable === 0, 10_000);
    expect(ingestion.stats().lostTotal).toBe(0);
  }, 40_000);

  it('ingestion counts and reports entries that were trimmed before they were read', async () => {
    const redis = await RedisServer.start();
    const published = new Published();
    const said: string[] = [];
    const onError = (_doing: string, error: unknown): void => void said.push(String(error));
    const one = ingest(redis, { publish: published.publish, onError });
    await addMany(redis, ['a'], 2);
    await until('two are published', () => one.stats().publishedTotal === 2, 5_000);
    await one.close();
    await addMany(redis, ['a'], 10);
    await redis.run('XTRIM', 'live:in', 'MAXLEN', '4');
    const two = ingest(redis, { publish: published.publish, onError });
    await until('the rest is published and the loss is counted', () => two.stats().lostTotal === 6, 10_000);
    expect(published.of('a')).toEqual([1, 2, 7, 8, 9, 10]);
    expect(said).toEqual(['Error: 6 entries were trimmed or deleted before they were published']);
    await sleep(50);
    expect([one.stats().lostTotal, two.stats().lostTotal, two.stats().unreachable]).toEqual([0, 6, 0]);
  }, 20_000);

  it('ingestion counts and reports entries that reuse the ids of a deleted stream, and does not publish them', async () => {
    const redis = await RedisServer.start();
    const published = new Published();
    const said: string[] = [];
    const ingestion = ingest(redis, {
      publish: published.publish,
      onError: (_doing, error) => said.push(String(error)),
    });
    const addAs = (id: string) => redis.run('XADD', 'live:in', id, 'topic', 'a', 'data', '1');
    await addAs('1-1');
    await until('it is published', () => ingestion.stats().publishedTotal === 1, 5_000);
    await redis.run('DEL', 'live:in');
    await addAs('1-1');
    await until('it is counted', () => ingestion.stats().reusedTotal === 1, 10_000);
    expect(said.join()).toContain('1-1 repeats the idempotency key');
    expect(ingestion.stats()).toMatchObject({ publishedTotal: 1, suppressedTotal: 0 });
  }, 20_000);

  it('reader and sender need no more rights than the guides give them', async () => {
    const redis = await RedisServer.start();
    const guides = ['redis.md', 'ingestion.md'].map((name) =>
      readFileSync(resolve(import.meta.dirname, '../../docs', name), 'utf8'),
    );
    const commands = guides.flatMap((text) => [...text.matchAll(/^ACL SETUSER [^`]*?(?=\nACL|\n```)/gm)]);
    expect(commands).toHaveLength(3);
    for (const [command] of commands) await redis.run(...command.split(/\s+/));
    const published = new Published();
    const said: unknown[] = [];
    const ingestion = ingest(redis, {
      publish: published.publish,
      url: redis.url.replace('//', '//live:secret@'),
      onError: (_doing, error) => said.push(error),
    });
    const send = ['-p', String(redis.port), '--user', 'sender', '--pass', 'secret', '--no-auth-warning'];
    const cli = (...command: string[]): string =>
      execFileSync('redis-cli', [...send, ...command], { encoding: 'utf8' });
    expect(cli('XADD', 'live:in', '*', 'topic', 'a', 'data', '1')).toMatch(/^\d+-\d+/);
    expect(cli('XADD', 'live:in', '*', 'topic', 'a', 'data', '{')).toMatch(/^\d+-\d+/);
    expect(cli('XADD', 'live:{a}:h', '*', 'd', '1')).toContain('NOPERM');
    expect(cli('PUBLISH', 'live:{a}', '1')).toContain('NOPERM');
    await until('both are done', () => ingestion.stats().deadLettersTotal === 1, 5_000);
    await ingestion.close();
    expect([published.of('a'), said]).toEqual([[1], []]);
    expect(await redis.run('EXISTS', 'live:in:lease')).toBe(0);
  });

  it('ingestion continues when Redis returns, empty or not, and its errors omit the password', async () => {
    const redis = await RedisServer.start();
    const said: string[] = [];
    const published = new Published();
    await redis.run('CONFIG', 'SET', 'appendonly', 'no');
    ingest(redis, {
      publish: published.publish,
      url: redis.url.replace('//', '//default:canary@'),
      onError: (doing, error) => said.push(`${doing}: ${String(error)}`),
    });
    await addMany(redis, ['a'], 1);
    await until('the first', () => published.stored.length === 1, 5_000);
    await redis.run('FLUSHALL');
    await addMany(redis, ['a'], 2);
    await until('the second', () => published.stored.length === 3, 8_000);
    await redis.stop('SIGKILL');
    await redis.start();
    await addMany(redis, ['b'], 1);
    await until('the third', () => published.stored.length === 4, 10_000);
    expect(said.length).toBeGreaterThan(0);
    expect(said.join('\n')).not.toContain('canary');
  }, 40_000);
});

describe('RedisIngestion, its options', () => {
  const publish: IngestPublish = async () => ({});

  it.each([
    [{ url: 'redis://ann:canary@host/three' }, 'RedisIngestion: "url" has a path'],
    [{ prefix: 'with space' }, 'RedisIngestion: "prefix" must be'],
    [{ batchSize: 0 }, 'RedisIngestion: "batchSize" must be a whole number'],
    [{ callTimeoutMs: 0 }, 'RedisIngestion: "callTimeoutMs" must be a whole number'],
  ])('the invalid options %j are rejected by name', (options, words) => {
    const make = (): RedisIngestion => new RedisIngestion({ publish, ...options });
    expect(make).toThrow(words);
    expect(make).not.toThrow('canary');
  });
});
