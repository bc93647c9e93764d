import { expect } from 'vitest';
import { sleep, until } from '../../brokers/support/waiting.js';
import { FaultWorld, line } from './fault-world.js';
import { flawless } from './ledger.js';

/** What a store fault may cost its subscribers. */
export type Cost =
  /** Every acknowledged publication reaches every subscriber, without a fresh start. */
  | 'nothing'
  /** Subscribers that hold what the store lost start afresh. It reaches no other subscriber. */
  | 'what is lost';

/** The store of this test, and the fault that strikes it. */
export interface Store {
  /** One URL for each of the two instances. */
  readonly urls: readonly [string, string];
  /** More options of the instances' brokers. */
  readonly options?: object;
  /** Strikes, and resolves once the store works again. */
  strike(world: FaultWorld): Promise<void>;
  /** Resolves once the store can be struck again. All instances are back by then. */
  settle?(): Promise<void>;
}

export interface StoreFault {
  readonly name: string;
  readonly cost: Cost;
  /** Both instances run during the fault. Otherwise one of them is suspended. */
  readonly awake?: true;
  /** Number of instances that publish. @default both */
  readonly publishers?: number;
  begin(): Promise<Store>;
}

export interface StoreFaultOptions {
  /** How often the store is struck. */
  readonly rounds: number;
  /** Publications a second by both instances together. */
  readonly perSecond: number;
  /** Connected applications per instance, and disconnected ones during the fault. */
  readonly apps: number;
}

/**
 * Strikes the store repeatedly. All subscribers must hold the same data once, or learn of the loss.
 */
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
  const starts = world.reported.reduce((sum, reported) => sum + reported, 0);
  const refused = await world.refused();
  console.info(line(fault.name, verdict, { rounds, liveAgainMs, freshStarts: starts, refused }));
  expect(world.wireFaults).toEqual([]);
  if (fault.cost === 'nothing') expect([starts, verdict.delivered]).toEqual([0, verdict.expected]);
  expect(verdict).toMatchObject({ ...flawless, forgotten: expect.any(Number) as number });
}
