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

/** The checks as the suite registers them with a test runner. */
function checksOf(mistake: PlantedMistake, patienceMs: number): ReadonlyMap<string, () => Promise<void>> {
  const checks = new Map<string, () => Promise<void>>();
  eachBrokerCheck((title, run) => checks.set(title, run), { open: () => open(mistake), patienceMs });
  return checks;
}

const none: PlantedMistake = { mistake: 'none', found: '' };
const titles = [...checksOf(none, 0).keys()];

describe('Mistakes planted in a broker', () => {
  afterEach(closeLeaked);

  it.each(plantedMistakes)('a broker check finds the planted mistake: $mistake', async (mistake) => {
    const checks = checksOf(mistake, 150);
    const [title = 'none', ...more] = titles.filter((each) => each.startsWith(mistake.found));
    expect([title, more.length]).toEqual([expect.stringContaining(mistake.found), 0]);
    const fault = await checks
      .get(title)?.()
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(fault, `"${title}" does not find it`).toBeDefined();
    // A failing call is an error of its own. The check itself throws assertions.
    if (!(fault instanceof AssertionError)) expect(mistake.mistake).toMatch(/rejects|thrown/);
  });

  it('every broker check has a planted mistake', () => {
    const seen = plantedMistakes.map(({ found }) => found);
    expect(titles.filter((title) => !seen.some((found) => title.startsWith(found)))).toEqual([]);
  });

  it.each(titles)('a broker without a mistake passes the check: %s', async (title) => {
    await checksOf(none, 10_000).get(title)?.();
  });
});
