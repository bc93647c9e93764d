import type { Fault } from './faults.js';
import { perform } from './perform.js';
import { promptBroker } from './sim-network.js';
import type { Step } from './step.js';
import { checkBounds, checkEnd, checkMaps, checkQuiet, isQuiet } from './world-checks.js';
import { World, type WorldOptions } from './world.js';

export interface RunResult {
  /** The first fault and others seen at the same time; empty if there was none. */
  readonly faults: readonly Fault[];
  /** The journal, in order. */
  readonly journal: readonly string[];
  /** Publications and deliveries. */
  readonly counts: { readonly publications: number; readonly deliveries: number };
}

/** Milliseconds in which everything recovers from all disturbances. */
const healMs = 8_000;

/** Runs a schedule in a new world, lets it come to rest, and ends it; stops at the first fault. */
export async function runSchedule(steps: readonly Step[], options: WorldOptions): Promise<RunResult> {
  const world = new World(options);
  const unhandled = (error: unknown): void =>
    world.tell('failure', `an unhandled rejection: ${String(error)}`);
  process.on('unhandledRejection', unhandled);
  try {
    await runSteps(world, steps);
    // Node reports unhandled rejections at the end of a turn of its event loop.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  } finally {
    process.off('unhandledRejection', unhandled);
  }
  const { publicationsTotal, deliveriesTotal } = world.server.live.stats();
  const counts = { publications: publicationsTotal, deliveries: deliveriesTotal };
  return { faults: world.faults, journal: world.journal, counts };
}

async function runSteps(world: World, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    await world.timeline.advance(step.afterMs, world.failed);
    check(world);
    if (world.failed()) return;
    await perform(world, step);
    await world.timeline.settle();
  }
  if (!world.failed()) await heal(world);
  if (!world.failed()) await end(world);
}

function check(world: World): void {
  checkMaps(world);
  checkBounds(world);
  if (!world.failed() && isQuiet(world)) checkQuiet(world);
}

/**
 * Ends all disturbances. After some time, and one more publication per topic, every subscriber must
 * be up to date.
 */
async function heal(world: World): Promise<void> {
  const { timeline, broker, policy, server, failed } = world;
  broker.network.pace = promptBroker;
  broker.network.disturbances.end();
  broker.network.comeBack();
  policy.comeBack();
  world.behind.clear();
  for (const link of world.links) {
    if (link.silent) link.cut(0, 0);
    else link.read();
  }
  await timeline.advance(healMs, failed);
  for (const { name } of policy.topics) world.publish(name, undefined);
  await timeline.advance(200, failed);
  check(world);
  if (!isQuiet(world)) world.tell('behind', 'it does not come to rest');
  if (!server.live.draining) for (const each of world.participants) each.checkAtRest();
}

/** Drains the server and disconnects every peer; nothing may be left. */
async function end(world: World): Promise<void> {
  const { timeline, server, broker, failed } = world;
  let drained = false;
  void server.live.drain(500).then(() => (drained = true));
  await timeline.advance(1_500, failed);
  check(world);
  if (!drained) world.tell('leftover', 'the drain does not end');
  for (const each of world.participants) each.leave();
  await broker.close();
  await timeline.advance(100, failed);
  if (!failed()) checkEnd(world);
}
