import { AssertionError } from 'node:assert';
import { afterEach, describe, expect, it } from 'vitest';
import { eachBrokerCheck } from '../../src/testing/each-broker-check.js';
import type { OpenedBroker } from '../../src/testing/broker-checks/opened-broker.js';
import type { Broker } from '../../src/core/ports/broker.js';
import { EngineInstance, MemoryEngine } from './memory-engine.js';
import { closeLeaked, type PlantedMistake, plantedMistakes } from './planted-mistakes.js';

function open({ plant, plantEngine }: PlantedMistake): OpenedBroker {
  const engine = new MemoryEngine();
  const make = (): Broker => {
    const broker = new EngineInstance(engine);
    plant?.(broker, engine);
    return broker;
  };
  const opened = { ...engine.open(), broker: make(), another: make };
  return { ...opened, ...plantEngine?.(opened, engine) };
}

/** The checks as the suite would give them to a runner. */
function checksOf(mistake: PlantedMistake, patienceMs: number): ReadonlyMap<string, () => Promise<void>> {
  const checks = new Map<string, () => Promise<void>>();
  eachBrokerCheck((title, run) => checks.set(title, run), { open: () => open(mistake), patienceMs });
  return checks;
}

const none: PlantedMistake = { mistake: 'none', found: '' };
const titles = [...checksOf(none, 0).keys()];

describe('eachBrokerCheck can see: a mistake planted in a broker is found', () => {
  afterEach(closeLeaked);

  it.each(plantedMistakes)('$mistake', async (mistake) => {
    const checks = checksOf(mistake, 150);
    const [title = 'none', ...more] = titles.filter((each) => each.startsWith(mistake.found));
    expect([title, more.length]).toEqual([expect.stringContaining(mistake.found), 0]);
    const fault = await checks
      .get(title)?.()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(fault, `"${title}" does not see it`).toBeDefined();
    // A mistake of a call is an error of its own; what the check itself finds is an assertion.
    if (!(fault instanceof AssertionError)) expect(mistake.mistake).toMatch(/rejects|thrown/);
  });

  it('has a mistake for each check', () => {
    const seen = plantedMistakes.map(({ found }) => found);
    expect(titles.filter((title) => !seen.some((found) => title.startsWith(found)))).toEqual([]);
  });

  it.each(titles)('and without a mistake holds: %s', async (title) => {
    await checksOf(none, 10_000).get(title)?.();
  });
});
