import { setTimeout as sleep } from 'node:timers/promises';
import { inTurn, serverProcess, swarmProcess } from './entrants.js';
import { fileIn, progress } from './options.js';

/**
 * @template Round
 * @typedef {object} Showing what one entrant did
 * @property {any} started the server's answer to its start
 * @property {number[]} idle its CPU milliseconds per second with idle clients, in each idle phase
 * @property {Round[]} rounds
 */

/**
 * Starts all entrants side by side with the same clients, and lets them take turns, round by
 * round.
 *
 * @template {{ cpu: number }} Round
 * @param {object} about
 * @param {string} about.name
 * @param {readonly any[]} about.entrants
 * @param {number} about.rounds measured ones
 * @param {number} about.warmUp rounds before them
 * @param {number} [about.passes] parts of a round in which the entrants take turns, so that a slow
 *   moment of the machine meets all of them
 * @param {(parts: readonly Round[]) => Round} [about.merge] makes a round of its parts
 * @param {object} [about.start] for the servers, besides the build
 * @param {object} about.clients for the swarm: `topics`, `concurrency` and further options
 * @param {number} [about.idleSeconds] of a phase before the rounds in which all servers are idle
 * @param {number} [about.idlePhases]
 * @param {string} [about.profile] a folder
 * @param {(of: { server: any, swarm: any, group: string }) => Promise<Round>} about.round
 * @returns {Promise<Map<string, Showing<Round>>>} by the entrants' keys
 */
export async function contest(about) {
  const { name, entrants, rounds, warmUp, passes = 1, start, clients, profile, round } = about;
  const { merge = ([only]) => only } = about;
  const swarm = swarmProcess();
  /** @type {Map<string, any>} */
  const servers = new Map();
  /** @type {Map<string, Showing<Round>>} */
  const showings = new Map();
  for (const { key, file, dist, module, store } of entrants) {
    progress(`${name}: starting ${key} … `);
    const server = await serverProcess(file);
    const started = await server.ask('start', { dist, module, store, ...start });
    await swarm.ask('open', { group: key, peer: file, port: started.port, ...clients });
    servers.set(key, server);
    showings.set(key, { started, idle: [], rounds: [] });
  }
  for (let number = -warmUp; number <= rounds; number++) {
    if (number === 0) {
      // A profile shows the rounds, or what idle servers do if there are no rounds.
      if (rounds === 0) await startProfiles(servers, profile);
      await measureIdle(about, servers, showings);
      if (rounds > 0) await startProfiles(servers, profile);
    }
    if (number === rounds) break;
    progress(number < 0 ? `\n${name}: warm-up   ` : `\n${name}: round ${String(number + 1)}   `);
    const parts = new Map(entrants.map(({ key }) => [key, []]));
    for (let pass = 0; pass < passes; pass++)
      for (const { key } of inTurn(entrants, (number + warmUp) * passes + pass))
        parts.get(key)?.push(await round({ server: servers.get(key), swarm, group: key }));
    for (const [key, its] of parts) {
      const result = merge(its);
      progress(`${key} ${result.cpu.toPrecision(3)}   `);
      if (number >= 0) showings.get(key)?.rounds.push(result);
    }
  }
  progress('\n');
  await endProfiles(name, servers, profile);
  await Promise.all([...servers.values()].map((server) => server.end()));
  await swarm.end();
  return showings;
}

/** All at the same time, since an idle server does not disturb another. */
async function measureIdle({ name, idleSeconds = 0, idlePhases = 1 }, servers, showings) {
  if (idleSeconds === 0) return;
  for (let phase = 0; phase < idlePhases; phase++) {
    progress(`\n${name}: idle for ${String(idleSeconds)} s`);
    for (const server of servers.values()) await server.ask('startClock');
    await sleep(idleSeconds * 1_000);
    for (const [key, server] of servers) {
      const { cpuMicros } = await server.ask('cost');
      showings.get(key).idle.push(cpuMicros / 1_000 / idleSeconds);
    }
  }
}

async function startProfiles(servers, folder) {
  if (folder === undefined) return;
  for (const server of servers.values()) await server.ask('startProfile');
}

async function endProfiles(name, servers, folder) {
  if (folder === undefined) return;
  for (const [key, server] of servers) {
    const file = fileIn(folder, `${name}-${key}.cpuprofile`.replaceAll(/[^\w.]/g, '-'));
    if (await server.ask('endProfile', { file })) progress(`${file}\n`);
  }
}
