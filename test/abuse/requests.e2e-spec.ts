import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { abuseRequest, abuseSession, type Outcome } from './support/abusive-requests.js';
import { Child } from './support/ask.js';
import type { Bystanders } from './support/bystander.js';
import { compiled } from './support/compiled.js';
import { expectNoLeak } from './support/memory.js';
import { abuseRun, type Random } from './support/random.js';
import { settled, type State, targets } from './support/settled.js';
import type { Victim } from './support/victim.js';

const { random, count, timeoutMs } = abuseRun('abusive requests of the event door', 400);
const { folder, remove } = compiled();

let victim: Child<Victim>;
let bystanders: Child<Bystanders>;
let ports: number[];
let before: State;

/** Abuses every target as often as `total` says, 20 at a time. */
async function many(
  total: number,
  abuse: (port: number, random: Random) => Promise<Outcome>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let begun = 0;
  const abuser = async (): Promise<void> => {
    while (begun++ < total) outcomes.push(await abuse(ports[begun % ports.length] ?? 0, random.fork()));
  };
  await Promise.all(Array.from({ length: 20 }, abuser));
  return outcomes;
}

function say(what: string, outcomes: readonly Outcome[]): void {
  const answers = new Map<number, number>();
  for (const status of outcomes.flatMap(({ statuses }) => statuses))
    answers.set(status, (answers.get(status) ?? 0) + 1);
  const shown = [...answers].toSorted().map(([status, times]) => `${String(status)}: ${String(times)}`);
  process.stdout.write(`${String(outcomes.length)} ${what}; answers ${shown.join(', ')}\n`);
}

beforeAll(async () => {
  [victim, bystanders] = await Promise.all([
    Child.start<Victim>(folder, 'victim.js', { GUARD_MS: '20' }),
    Child.start<Bystanders>(folder, 'bystander.js'),
  ]);
  const urls = await victim.ask('urls');
  ports = urls.map((url) => Number(new URL(url).port));
  await bystanders.ask('connect', urls);
  // A warm-up, so that later growth is not compiled code.
  await many(count / 5, abuseRequest);
  await many(count / 20, abuseSession);
  before = await settled(victim);
}, 60_000);

afterAll(async () => {
  await Promise.all([victim.stop(), bystanders.stop()]);
  remove();
});

describe('abusive requests of the event door', () => {
  it.each([
    ['requests', 1, abuseRequest],
    ['sessions', 1 / 4, abuseSession],
  ] as const)(
    '[L-12.2] [L-12.7] abusive %s harm no other client and leave nothing behind',
    async (what, share, abuse) => {
      const outcomes = await many(Math.ceil(count * share), abuse);
      say(what, outcomes);
      expect(outcomes.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
      const after = await settled(victim);
      for (const { pending, connections, users, topics, subscriptions, eventStreams } of after.stats)
        expect({ pending, connections, users, topics, subscriptions, eventStreams }).toEqual({
          pending: 0,
          connections: 1,
          users: 1,
          topics: 1,
          subscriptions: 1,
          eventStreams: 0,
        });
      expect([after.sockets, after.polluted]).toEqual([targets.length, false]);
      expectNoLeak(before, after);
    },
    timeoutMs,
  );

  it('[L-4.5] [L-10.1] the abuse costs no bystander a message, and the server closes with an empty log', async () => {
    const length = await victim.ask('endStream');
    const { reports } = await bystanders.ask('report');
    expect(reports.map(({ gaps, last, closed }) => ({ gaps, last, closed }))).toEqual(
      targets.map(() => ({ gaps: 0, last: length, closed: undefined })),
    );
    expect(await victim.ask('close')).toBe(0);
    expect([victim.alive, victim.stderr]).toEqual([true, '']);
  });
});
