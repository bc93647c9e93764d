import { expect, it } from 'vitest';
import { startEngine } from './support/kill-engine.js';
import { type KillOptions, KillRun, replayCommand, reportText } from './support/kill-run.js';
import { flawless } from './support/ledger.js';

const options = JSON.parse(process.env['CHAOS'] ?? '{}') as KillOptions;

it('every acknowledged publication reaches every subscriber once and in order', async () => {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  // Printed first, so that a run that hangs can be repeated.
  say(`seed ${String(options.seed)}; to repeat this run: ${replayCommand(options)}`);
  const report = await new KillRun(await startEngine(options.engine), options, say).run();
  say(`\n${reportText(options, report)}\n`);
  expect(report.verdict).toMatchObject({ ...flawless, reported: 0, delivered: report.verdict.expected });
  expect(report.kills).toBeGreaterThan(0);
});
