import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { LiveTestClient } from '../../src/testing/index.js';
import { engines } from '../support/engines.js';
import { Child } from './support/ask.js';
import { compiled } from './support/compiled.js';
import { attackFor, outcome } from './support/hostile-reader.js';
import { abuseRun } from './support/random.js';
import type { ReaderBystander } from './support/reader-bystander.js';
import { maxQueuedBytesTotal, memoryBrokerBytes } from './support/reader-budgets.js';
import { secondBest } from './support/second-best.js';
import { slowdown } from './support/slowdown.js';
import type { ReaderVictim } from './support/reader-victim.js';

const { random, count: seconds, timeoutMs } = abuseRun('a hostile reader, in seconds', 20);
const { folder, remove } = compiled();
afterAll(remove);

/** `ABUSE_ENGINES=memory,Redis,NATS` selects the engines. */
const wanted = (process.env['ABUSE_ENGINES'] ?? 'memory').split(',');
const cases = [
  { name: 'memory', start: () => Promise.resolve({ url: undefined, count: () => Promise.resolve(0) }) },
  ...engines,
].filter(({ name }) => wanted.includes(name));

const kept = Array.from({ length: 30 }, (_, i) => `kept/${String(i)}`);
const inMegabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MB`;

type Report = Awaited<ReturnType<ReaderVictim['report']>>;

/** A quarter of the attack: what the bystanders and the server report, and the bystanders' p99. */
interface Part {
  readonly loud: ReturnType<ReaderBystander['report']>;
  readonly after: Report;
  readonly waitMs: number;
}

/** Milliseconds of a p99 that a busy machine may cause by itself. */
const noiseMs = 50;

describe.each(cases)('A hostile reader on $name', ({ start }) => {
  it(
    '[L-9.16] [L-9.18] one user that may read everything harms no other user',
    // Other load can only lengthen a wait, so a real fault fails every retry.
    { timeout: 60_000 + timeoutMs, retry: 2 },
    async () => {
      const { url: engineUrl, count } = await start();
      const env: Record<string, string> = engineUrl === undefined ? {} : { ENGINE_URL: engineUrl };
      const victim = await Child.start<ReaderVictim>(folder, 'reader-victim.js', env);
      const bystanders = await Child.start<ReaderBystander>(folder, 'reader-bystander.js');
      try {
        const url = await victim.ask('url');
        await victim.ask('begin');
        await bystanders.ask('connect', url);
        const witness = await LiveTestClient.connect(url, { token: 'witness', timeoutMs: 30_000 });
        const epochs = new Map<string, string>();
        for (const topic of kept) {
          const { epoch } = await witness.request({ type: 'subscribe', id: topic, topic });
          epochs.set(topic, epoch as string);
        }
        await witness.close();
        await sleep(3_000);
        const stored = await count();
        const [quiet, before] = [await bystanders.ask('report'), await victim.ask('report')];
        const attacked = attackFor(seconds * 1_000, url, random, epochs);
        const parts: Part[] = [];
        for (let i = 1; i <= 4; i++) {
          await (i < 4 ? sleep(seconds * 250) : attacked);
          const [loud, after] = [await bystanders.ask('report'), await victim.ask('report')];
          const last = parts.at(-1) ?? { loud: quiet, after: before };
          const times = Math.max(slowdown(last.after.busy, after.busy), slowdown(last.loud.busy, loud.busy));
          parts.push({ loud, after, waitMs: loud.p99 / times });
        }
        const waitsMs = parts.map(({ waitMs }) => waitMs);
        const maxRss = Math.max(...parts.map(({ after }) => after.maxRss));
        const maxQueued = Math.max(...parts.map(({ after }) => after.maxQueued));
        const { connections, refusedConnections, messages, bytes, errors } = outcome;
        process.stdout.write(
          `${String(connections)} connections (${String(refusedConnections)} refused), ${String(messages)} messages, ` +
            `${inMegabytes(bytes)} read; errors ${JSON.stringify(Object.fromEntries(errors))}; RSS ` +
            `${inMegabytes(before.maxRss)}, then at most ${inMegabytes(maxRss)}; queued at most ` +
            `${inMegabytes(maxQueued)}; p99 ${String(quiet.p99)} ms, then in each part, as if both had a ` +
            `core of their own, ${waitsMs.map((ms) => ms.toFixed(0)).join(', ')} ms\n`,
        );
        const { loud, after } = parts.at(-1) as Part;
        expect({ gaps: loud.gaps, closed: loud.closed, failures: after.failures }).toEqual({
          gaps: 0,
          closed: [],
          failures: 0,
        });
        expect(maxRss).toBeLessThan(1.1 * (before.maxRss + maxQueuedBytesTotal + memoryBrokerBytes));
        expect(secondBest(waitsMs)).toBeLessThanOrEqual(Math.max(2 * quiet.p99, noiseMs));
        // Nothing of other users is gone, and nothing of the abuse is left.
        expect(await count()).toBe(stored);
        const late = await LiveTestClient.connect(url, { token: 'late', timeoutMs: 30_000 });
        for (const [topic, epoch] of epochs) {
          const since = { epoch, offset: 0 };
          expect(await late.request({ type: 'subscribe', id: topic, topic, since })).toMatchObject({
            type: 'subscribed',
            recovered: true,
          });
          const { snapshot } = await late.request({ type: 'subscribe', id: 's', topic });
          expect(Object.keys(snapshot as object)).toHaveLength(20);
          expect(await victim.ask('publish', topic)).toMatchObject({ epoch, offset: 21 });
        }
        await late.close();
        let { stats } = await victim.ask('report');
        // The live traffic goes on, and waits for a bystander that other load delays.
        for (let i = 0; i < 200 && (stats.connections > 10 || stats.queuedBytes > 0); i++) {
          await sleep(50);
          ({ stats } = await victim.ask('report'));
        }
        expect(stats).toMatchObject({
          connections: 10,
          users: 1,
          topics: 5,
          subscriptions: 10,
          queuedBytes: 0,
        });
        await victim.ask('close');
        expect(victim.stderr).toBe('');
      } finally {
        await Promise.all([victim.stop(), bystanders.stop()]);
      }
    },
  );
});
