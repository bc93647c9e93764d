import { expect, it } from 'vitest';
import { describeWith, natsServer, redisServer } from '../support/programs.js';
import { thorough } from '../support/thorough.js';
import { startEngine } from './support/kill-engine.js';
import { type PublishOptions, PublishRun } from './support/publish-run.js';

type Size = Omit<PublishOptions, 'seed' | 'engine'>;

/** `PUBLISHES=full` runs the size of the promise in PROTOCOL.md, CI a smaller one. */
const size: Size =
  process.env['PUBLISHES'] === 'full'
    ? {
        clients: 300,
        publications: 100,
        topics: 20,
        durationMs: 60_000,
        cutMs: [2_000, 5_000],
        killEveryMs: 5_000,
      }
    : {
        clients: 40,
        publications: 40,
        topics: 8,
        durationMs: 8_000,
        cutMs: [500, 2_000],
        killEveryMs: 2_500,
      };

async function run(engine: PublishOptions['engine'], seed: number): Promise<void> {
  const report = await new PublishRun(await startEngine(engine), { ...size, engine, seed }).run();
  console.info(`seed ${String(seed)} on ${engine}: ${JSON.stringify(report)}`);
  const published = size.clients * size.publications;
  expect(report).toMatchObject({ published, twice: 0, wrong: 0, reordered: 0, rejected: {} });
  expect([report.kills > 1, report.cuts > size.clients]).toEqual([true, true]);
}

const runs = thorough || process.env['PUBLISHES'] !== undefined;

describeWith(redisServer)('Clients that publish through cuts and kills on Redis', () => {
  it.runIf(runs)(
    '[L-4.18] every publication is published once and in the order of its client on Redis',
    () => run('redis', 1),
    300_000,
  );
});

describeWith(natsServer)('Clients that publish through cuts and kills on NATS', () => {
  it.runIf(runs)(
    '[L-4.18] every publication is published once and in the order of its client on NATS',
    () => run('nats', 2),
    300_000,
  );
});
