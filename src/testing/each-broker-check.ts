import type { BrokerCheck } from './broker-checks/check.js';
import { deliveryChecks } from './broker-checks/deliveries.js';
import { endingChecks } from './broker-checks/ending.js';
import { engineChecks } from './broker-checks/engine.js';
import { historyChecks } from './broker-checks/history.js';
import { latestChecks } from './broker-checks/latest.js';
import type { BrokerAbility, OpenedBroker } from './broker-checks/opened-broker.js';
import { positionChecks } from './broker-checks/positions.js';
import { removalChecks } from './broker-checks/removals.js';
import { suppressionChecks } from './broker-checks/suppression.js';
import { topicNameChecks } from './broker-checks/topic-names.js';
import { BrokerWorld } from './broker-checks/world.js';

/** How `eachBrokerCheck` gets at the broker and its engine. */
export interface BrokerCheckOptions {
  /** Called for each check; the result is closed after it. */
  readonly open: () => OpenedBroker | Promise<OpenedBroker>;
  /** Abilities that the engine lacks; checks that need them are skipped. */
  readonly without?: readonly BrokerAbility[];
  /**
   * Milliseconds that the engine may take for any operation, including a restart.
   *
   * @default 15000
   */
  readonly patienceMs?: number;
}

/**
 * Registers the conformance checks of the `Broker` port with a test runner. Each check opens its
 * own broker and fails with an `AssertionError`. Some checks wait for seconds if the engine does.
 *
 * @param test - the runner's function for a title and an async function, such as Vitest's `it`
 */
export function eachBrokerCheck(
  test: (title: string, run: () => Promise<void>) => unknown,
  { open, without = [], patienceMs = 15_000 }: BrokerCheckOptions,
): void {
  const checks: readonly BrokerCheck[] = [
    ...positionChecks,
    ...deliveryChecks,
    ...historyChecks,
    ...suppressionChecks,
    ...latestChecks,
    ...removalChecks,
    ...topicNameChecks,
    ...engineChecks,
    ...endingChecks,
  ];
  for (const { title, needs = [], run } of checks) {
    if (needs.some((ability) => without.includes(ability))) continue;
    test(title, async () => {
      const world = new BrokerWorld(await open(), without, patienceMs);
      try {
        for (const ability of needs) world.need(ability);
        await run(world);
      } finally {
        await world.close();
      }
    });
  }
}
