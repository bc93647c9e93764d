import { describe, expect, it } from 'vitest';
import { Connection } from '../../src/core/connection/connection.js';
import { simCommand } from '../../apps/sim/command.js';
import { runSchedule } from '../../src/testing/sim/run-schedule.js';
import { runSeed, simulate } from '../../src/testing/sim/simulate.js';
import { topicsOfEveryKind } from '../../src/testing/sim/sim-topic.js';
import { thorough } from '../support/thorough.js';

/** Fixed seeds, from 1. `.ci/run` takes more of them, and `npm run sim` takes random ones. */
const runs = Number(process.env['SIM_RUNS'] ?? (thorough ? 4_000 : 500));

/** Patterns that the journals must contain. Otherwise doing nothing would keep all rules. */
const reached = {
  'a recovery': / < .*"type":"subscribed".*"recovered":true/,
  'a snapshot': / < .*"type":"subscribed".*"recovered":false,"snapshot"/,
  'a canceled subscribe': /The subscribe was canceled/,
  'a hold that overflows twice': /Too much was published while subscribing/,
  'a snapshot that fails': /The snapshot of this topic is not available/,
  'a broker that fails': /Subscribing is not possible now/,
  'a publish that fails': /Publishing is not possible now/,
  'a refusal': /"code":"forbidden","message":"You may not/,
  'one topic too many': /"code":"limit-exceeded"/,
  'a protocol violation': /"code":"protocol-violation"/,
  'a new credential': / < .*"type":"authenticated"/,
  'a credential of another user': /This credential is not valid here/,
  'a revoked right': / < .*"type":"unsubscribed".*"code":"forbidden"/,
  'a reported loss': / < \{"type":"lost"/,
  'a fresh start after a loss': / < \{"type":"subscribed","topic":.*"snapshot"/,
  'a fresh start in another stream': / sees .*"reason":"new-epoch"/,
  'a client that lost something': / sees .*"type":"lost"/,
  'a cut': / over 1006 /,
  'a peer that is too slow': / over 1008 /,
  'a peer that is dead': / over 4001 /,
  'an expired credential': / over 4501 /,
  'a disconnect by the application': / over 4503 /,
  'a drain': / over 1001 /,
};

describe('Simulation', () => {
  it(
    `[L-3.10] [L-5.3] the simulation breaks no rule in ${String(runs)} seeds`,
    { timeout: Math.max(60_000, runs * 60) },
    async () => {
      const startedMs = performance.now();
      expect((await simulate({ seed: 1, runs })).failure?.report).toBeUndefined();
      const perSecond = (runs * 1_000) / (performance.now() - startedMs);
      console.log(`${String(runs)} seeds, ${perSecond.toFixed(0)} a second`);
    },
  );

  it('running a seed again produces the same journal', async () => {
    let lines = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const { journal } = await runSeed(seed, { keepJournal: true });
      lines += journal.length;
      expect((await runSeed(seed, { keepJournal: true })).journal).toEqual(journal);
    }
    expect(lines).toBeGreaterThan(2_000);
  });

  it('the seeds reach everything that the rules are about', async () => {
    const missing = new Map(Object.entries(reached));
    for (let seed = 1; seed <= 3_000 && missing.size > 0; seed++) {
      const said = (await runSeed(seed, { keepJournal: true })).journal.join('\n');
      for (const [what, words] of missing) if (words.test(said)) missing.delete(what);
    }
    expect([...missing.keys()]).toEqual([]);
  }, 60_000);

  it('a failure is reported with its seed, the shortest schedule found, and the command to repeat it', async () => {
    const { leaveAll } = Connection.prototype;
    Connection.prototype.leaveAll = () => {};
    try {
      const { failure } = await simulate({ seed: 1, runs: 100 });
      if (failure === undefined) throw new Error('Nothing was found');
      const { seed, steps, before, report, fault } = failure;
      expect(steps.length).toBeLessThan(before);
      // The shortest schedule: a peer subscribes and is then cut off, or refused.
      expect(steps.length).toBeLessThanOrEqual(3);
      const again = await runSchedule(steps, { seed, makeTopics: topicsOfEveryKind });
      expect(again.faults[0]).toEqual(fault);
      expect(report).toContain(`npm run sim -- --seed ${String(seed)} --runs 1`);
      expect(report).toContain('subscribe peer=');
    } finally {
      Connection.prototype.leaveAll = leaveAll;
    }
  });

  it('the sim command explains its arguments and rejects invalid ones', async () => {
    const said: string[] = [];
    const command = (...args: string[]) => simCommand(args, (text) => said.push(text));
    expect(await command('--seed', '7', '--runs', '3')).toBe(0);
    expect(said[0]).toBe('Seeds 7 to 9.');
    expect(await command('--help')).toBe(0);
    expect(said.at(-1)).toContain('npm run sim -- [--seed N] [--runs M]');
    expect(await command('--runs', 'many')).toBe(2);
    expect(said.at(-1)).toContain('--runs must be a whole number from 1, not "many"');
    expect(await command('--speed', '9')).toBe(2);
  });
});
