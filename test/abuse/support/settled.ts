import type { Child } from './ask.js';
import type { Victim } from './victim.js';

/** The applications of the victim, in the order of its URLs. */
export const targets = ['express, own port', 'express, its port', 'fastify, own port', 'fastify, its port'];

export type State = Awaited<ReturnType<Victim['state']>>;

/** The victim's state, once nothing is pending and only the bystanders are connected. */
export async function settled(victim: Child<Victim>): Promise<State> {
  const untilMs = performance.now() + 20_000;
  for (;;) {
    const state = await victim.ask('state');
    const isSettled =
      state.sockets === targets.length &&
      state.stats.every((app) => app.pending === 0 && app.connections === 1);
    if (isSettled || performance.now() > untilMs) return state;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
