import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { abuse, type Outcome } from './support/abusive-handshakes.js';
import { Child } from './support/ask.js';
import type { Bystanders } from './support/bystander.js';
import { compiled } from './support/compiled.js';
import { expectNoLeak } from './support/memory.js';
import { abuseRun } from './support/random.js';
import { settled, type State, targets } from './support/settled.js';
import type { Victim } from './support/victim.js';

const { random, count, timeoutMs } = abuseRun('abusive handshakes', 2_000);
const atATime = 60;
const megabyte = 1_048_576;
const { folder, remove } = compiled();

let victim: Child<Victim>;
let bystanders: Child<Bystanders>;
let ports: number[];

beforeAll(async () => {
  [victim, bystanders] = await Promise.all([
    Child.start<Victim>(folder, 'victim.js', { GUARD_MS: '100' }),
    Child.start<Bystanders>(folder, 'bystander.js'),
  ]);
  const urls = await victim.ask('urls');
  ports = urls.map((url) => Number(new URL(url).port));
  await bystanders.ask('connect', urls);
}, 60_000);

afterAll(async () => {
  await Promise.all([victim.stop(), bystanders.stop()]);
  remove();
});

describe('abusive handshakes', () => {
  let before: State | undefined;

  it.each(targets)(
    '[L-1.4] abusive handshakes harm no other client on %s',
    async (target) => {
      const port = ports[targets.indexOf(target)] ?? 0;
      let left = Math.ceil(count / targets.length);
      const outcomes: Outcome[] = [];
      const abuser = async (): Promise<void> => {
        while (left-- > 0) outcomes.push(await abuse(port, random.fork()));
      };
      await Promise.all(Array.from({ length: atATime }, abuser));
      const answers = new Map<number, number>();
      for (const { status } of outcomes) answers.set(status, (answers.get(status) ?? 0) + 1);
      const shown = [...answers].toSorted().map(([status, times]) => `${String(status)}: ${String(times)}`);
      process.stdout.write(`${target}: ${String(outcomes.length)} handshakes; answers ${shown.join(', ')}\n`);
      expect(outcomes.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
      expect(outcomes.length).toBe(Math.ceil(count / targets.length));
      // Warmed up by now, so that later growth is not compiled code.
      before ??= await settled(victim);
    },
    timeoutMs,
  );

  it('abusive handshakes leave no pending handshake, connection, subscription or memory behind', async () => {
    const after = await settled(victim);
    const { stats, sockets, polluted } = after;
    before ??= after;
    const grown = { rss: after.rss - before.rss, heap: after.heapUsed - before.heapUsed };
    const inMegabytes = (bytes: number): string => `${(bytes / megabyte).toFixed(1)} MB`;
    process.stdout.write(`grown by ${inMegabytes(grown.rss)} of RSS, ${inMegabytes(grown.heap)} of heap\n`);
    for (const { pending, connections, users, topics, subscriptions } of stats) {
      expect({ pending, connections, users, topics, subscriptions }).toEqual({
        pending: 0,
        connections: 1,
        users: 1,
        topics: 1,
        subscriptions: 1,
      });
    }
    expect([sockets, polluted]).toEqual([targets.length, false]);
    expectNoLeak(before, after);
  });

  it('[L-4.5] abusive handshakes cost no bystander a message', async () => {
    const length = await victim.ask('endStream');
    const { reports, requests, p50, p99, max } = await bystanders.ask('report');
    process.stdout.write(
      `bystanders: ${String(requests)} requests, p50 ${String(p50)} ms, p99 ${String(p99)} ms, max ${String(max)} ms\n`,
    );
    expect(reports.map(({ gaps, last, closed }) => ({ gaps, last, closed }))).toEqual(
      targets.map(() => ({ gaps: 0, last: length, closed: undefined })),
    );
  });

  it('[L-10.1] the server closes after abusive handshakes, and its log is empty', async () => {
    expect(await victim.ask('close')).toBe(0);
    expect([victim.alive, victim.stderr]).toEqual([true, '']);
  });
});
