import { expect, it } from 'vitest';
import { describeWith, natsServer, redisServer } from '../support/programs.js';
import { startEngine } from './support/kill-engine.js';
import { type KillOptions, KillRun, reportText } from './support/kill-run.js';
import { flawless } from './support/ledger.js';

/** The short form of `npm run chaos`. */
const short = {
  clients: 60,
  topics: 6,
  topicsPerClient: 2,
  publications: 2_700,
  perSecond: 300,
  killEveryMs: 2_500,
};

async function run(options: KillOptions): Promise<void> {
  const report = await new KillRun(await startEngine(options.engine), options).run();
  console.info(reportText(options, report));
  const { verdict, kills, cuts, acknowledged } = report;
  expect(verdict).toMatchObject({ ...flawless, reported: 0, delivered: verdict.expected });
  expect(acknowledged).toBeGreaterThanOrEqual(short.publications);
  expect(verdict.expected).toBeGreaterThan(acknowledged * 10);
  expect([kills > 1, cuts > short.clients / 3]).toEqual([true, true]);
}

describeWith(redisServer)('Three instances on Redis, one of which is killed every 2.5 s', () => {
  it.each([1, 2])(
    '[L-5.2] every acknowledged publication reaches every subscriber once and in order on Redis (seed %i)',
    (seed) => run({ ...short, seed, engine: 'redis' }),
    120_000,
  );
});

describeWith(natsServer)('Three instances on NATS, one of which is killed every 2.5 s', () => {
  it(
    '[L-5.2] every acknowledged publication reaches every subscriber once and in order on NATS (seed 3)',
    () => run({ ...short, seed: 3, engine: 'nats' }),
    120_000,
  );
});
