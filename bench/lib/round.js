import { expectedPerClient } from './scenarios.js';

/**
 * @typedef {object} Round
 * @property {number} cpu the server's microseconds for a delivery
 * @property {number} clientCpu the clients'
 * @property {number} bytes on the wire for a delivery
 * @property {number} compressed share of the deliveries that came compressed
 * @property {number[]} latenciesMs
 * @property {number} lateMs how late the worst tick was
 * @property {number} lost deliveries that did not come, or came twice
 */

/**
 * Publishes as the scenario says, and waits until everybody has got everything.
 *
 * @param {{ swarms: readonly import('./asking.js').Asked[], server: import('./asking.js').Asked, group: string, scenario: import('./scenarios.js').Scenario }} about
 * @returns {Promise<Round>}
 */
export async function oneRound({ swarms, server, group, scenario }) {
  await Promise.all(swarms.map((swarm) => swarm.ask('begin', { group })));
  const { latestMs } = await server.ask('run', { scenario });
  const perClient = expectedPerClient(scenario);
  const got = await Promise.all(swarms.map((swarm) => swarm.ask('finish', { group, perClient })));
  const { cpuMicros } = await server.ask('cost');
  const sum = (figure) => got.reduce((total, each) => total + each[figure], 0);
  const delivered = sum('delivered');
  return {
    cpu: cpuMicros / delivered,
    clientCpu: sum('cpuMicros') / delivered,
    bytes: sum('bytes') / delivered,
    compressed: sum('compressed') / delivered,
    latenciesMs: got.flatMap(({ latenciesMs }) => latenciesMs),
    lateMs: latestMs,
    lost: Math.max(sum('wrongClients'), Math.abs(sum('expected') - delivered)),
  };
}
