import { expect } from 'vitest';
import { sleep, until } from '../../brokers/support/waiting.js';
import { FaultWorld, line } from './fault-world.js';
import { flawless } from './ledger.js';

/** What a fault of a store may cost its subscribers. */
export type Cost =
  /** Nothing: every acknowledged publication reaches everybody, and nobody starts afresh. */
  | 'nothing'
  /** What the store lost: whoever holds it starts afresh, and it reaches nobody else. */
  | 'what is lost';

/** The store that a fault strikes, of this test's own. */
export interface Store {
  /** One URL for each of two instances. */
  readonly urls: readonly [string, string];
  /** More options of the instances' brokers. */
  readonly options?: object;
  /** Ends when the store works again. */
  strike(world: FaultWorld): Promise<void>;
  /** Ends when it can be struck again; by then everybody is back. */
  settle?(): Promise<void>;
}

export interface StoreFault {
  readonly name: string;
  readonly cost: Cost;
  /** Both instances run while it happens; else one of them stands still from before it until after it. */
  readonly awake?: true;
  /** Instances that publish; both, if it does not say. */
  readonly publishers?: number;
  begin(): Promise<Store>;
}

export interface StoreFaultOptions {
  /** How often the store is struck. */
  readonly rounds: number;
  /** Publications a second, of both instances together. */
  readonly perSecond: number;
  /** Applications on each instance, and as many that are away while the store is struck. */
  readonly apps: number;
}

/** The store is struck again and again; everybody holds the same, has it once or was told. */
export async function judgeFault(fault: StoreFault, options: StoreFaultOptions): Promise<void> {
  const { rounds, perSecond, apps } = options;
  const store = await fault.begin();
  const world = await FaultWorld.start(store.urls, {
    perSecond,
    apps,
    history: 20_000,
    publishers: fault.publishers,
    options: store.options,
  });
  let liveAgainMs = 0;
  for (let round = 0; round < rounds; round++) {
    for (const traveler of world.travelers) traveler.leave();
    const [, second] = world.instances;
    if (fault.awake !== true) second?.freeze();
    await sleep(100);
    await store.strike(world);
    second?.thaw();
    for (const traveler of world.travelers) traveler.comeBack();
    const ready = async (): Promise<boolean> => (await world.ready()).every(Boolean);
    await until('both instances are ready', ready, 30_000);
    liveAgainMs = Math.max(liveAgainMs, await world.liveAgain());
    await store.settle?.();
  }
  const verdict = await world.verdict();
  const starts = world.told.reduce((sum, told) => sum + told, 0);
  const refused = await world.refused();
  console.info(line(fault.name, verdict, { rounds, liveAgainMs, freshStarts: starts, refused }));
  expect(world.wireFaults).toEqual([]);
  if (fault.cost === 'nothing') expect([starts, verdict.delivered]).toEqual([0, verdict.expected]);
  expect(verdict).toMatchObject({ ...flawless, forgotten: expect.any(Number) as number });
}
