import { afterAll, describe, expect, it } from 'vitest';
import { runSeed } from '../../src/testing/sim/simulate.js';
import { thorough } from '../support/thorough.js';
import { firstSeeds } from './first-seeds.js';
import type { PlantedBug } from './plant.js';
import { plantedBugs } from './planted-bugs.js';

/** Seeds to try before a mistake counts as not found. */
const maxSeeds = 2_000;
const table: string[] = [];

/** A seed that reveals the mistake, and the rule that it broke. With CI set, the first from 1. */
async function seedsToFind({
  name,
  plant,
  blindTo,
}: PlantedBug): Promise<{ seeds: number; rule: string } | undefined> {
  const first = thorough ? 1 : (firstSeeds[name] ?? 1);
  const takeBack = plant();
  try {
    for (let seed = first; seed < first + maxSeeds; seed++) {
      const [fault] = (await runSeed(seed, { blindTo })).faults;
      if (fault !== undefined) return { seeds: seed, rule: fault.rule };
    }
  } finally {
    takeBack();
  }
  return undefined;
}

describe('Mistakes planted in the core', () => {
  it.each(plantedBugs)(
    'the simulation finds the planted mistake: $name',
    { timeout: 180_000 },
    async (bug) => {
      const found = await seedsToFind(bug);
      table.push(`${String(found?.seeds ?? '-').padStart(5)}  ${(found?.rule ?? '').padEnd(13)} ${bug.name}`);
      expect(found, `not within ${String(maxSeeds)} seeds`).toBeDefined();
      expect(bug.shows).toContain(found?.rule);
    },
  );

  it('the simulation finds no fault after all planted mistakes were removed', async () => {
    for (let seed = 1; seed <= 50; seed++) expect((await runSeed(seed)).faults).toEqual([]);
  });

  afterAll(() => {
    console.log(['Seeds needed, rule broken, mistake:', ...table].join('\n'));
  });
});
