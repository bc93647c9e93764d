import { expectedPerClient } from './scenarios.js';
import { meansOf } from './statistics.js';

/**
 * @typedef {object} Round
 * @property {number} cpu the server's CPU microseconds per delivery
 * @property {number} clientCpu the clients' CPU microseconds per delivery
 * @property {number} bytes on the wire per delivery
 * @property {number} compressed fraction of the deliveries that were compressed
 * @property {number[]} latenciesMs
 * @property {number} lateMs delay of the latest tick
 * @property {number} lost deliveries that are missing or repeated
 */

/**
 * Publishes by the scenario, and waits until every client has received everything.
 *
 * @param {object} about
 * @param {readonly import('./asking.js').Asked[]} about.swarms
 * @param {import('./asking.js').Asked} about.server
 * @param {string} about.group
 * @param {import('./scenarios.js').Scenario} about.scenario
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

/**
 * One round of several parts with as many deliveries each.
 *
 * @param {readonly Round[]} parts
 * @returns {Round}
 */
export function merged(parts) {
  return {
    ...meansOf(parts, ['cpu', 'clientCpu', 'bytes', 'compressed']),
    latenciesMs: parts.flatMap(({ latenciesMs }) => latenciesMs),
    lateMs: Math.max(...parts.map(({ lateMs }) => lateMs)),
    lost: parts.reduce((total, { lost }) => total + lost, 0),
  };
}
