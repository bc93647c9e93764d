import { afterAll, describe, expect, it } from 'vitest';
import { runSeed } from '../../src/testing/sim/simulate.js';
import type { PlantedBug } from './plant.js';
import { plantedBugs } from './planted-bugs.js';

/** Seeds that a mistake may hide from. */
const most = 2_000;
const table: string[] = [];

/** The first seed that shows the mistake, counted from 1, and the rule that it broke. */
async function seedsToFind({
  plant,
  blindTo,
}: PlantedBug): Promise<{ seeds: number; rule: string } | undefined> {
  const takeBack = plant();
  try {
    for (let seed = 1; seed <= most; seed++) {
      const [fault] = (await runSeed(seed, { blindTo })).faults;
      if (fault !== undefined) return { seeds: seed, rule: fault.rule };
    }
  } finally {
    takeBack();
  }
  return undefined;
}

describe('The simulation can see: a mistake planted in the core is found', () => {
  it.each(plantedBugs)('$name', { timeout: 180_000 }, async (bug) => {
    const found = await seedsToFind(bug);
    table.push(`${String(found?.seeds ?? '-').padStart(5)}  ${(found?.rule ?? '').padEnd(13)} ${bug.name}`);
    expect(found, `not within ${String(most)} seeds`).toBeDefined();
    expect(bug.shows).toContain(found?.rule);
  });

  it('has nothing left of the mistakes', async () => {
    for (let seed = 1; seed <= 50; seed++) expect((await runSeed(seed)).faults).toEqual([]);
  });

  afterAll(() => {
    console.log(['Seeds needed, rule broken, mistake:', ...table].join('\n'));
  });
});
