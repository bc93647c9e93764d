// Does the event loop of a server stall while it writes to very many subscribers of one topic?
import process from 'node:process';
import { entrantsOf, inTurn, serverProcess, swarmProcess } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { fileIn, progress, readOptions } from './lib/options.js';
import { oneRound } from './lib/round.js';
import { drawTopics } from './lib/scenarios.js';
import { median, quantile } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/many.js [options]

Prints, for every peer, the longest stall of the server's event loop while it published to all, and how long
the publications took. Peers run one at a time, since each needs nearly all files that a process may open.

  --clients 15000      in several processes, from several addresses
  --publications 10    per round, one every 500 ms
  --rounds 5           measured rounds of each peer
  --warm-up 2          unmeasured rounds before them
  --peers a,b          files of bench/peers, without .js (nestjs-live, ws-loop, ws-shared, socket.io, uws)
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live
  --profile <folder>   writes a CPU profile of each server's measured rounds, which makes them slower
`;

/** The longest allowed stall in milliseconds. */
const targetMs = 50;
/** Clients per process, since many machines limit a process to 20,000 files. */
const perSwarm = 7_500;

const options = await readOptions(
  {
    clients: '15000',
    publications: '10',
    rounds: '5',
    'warm-up': '2',
    peers: 'nestjs-live,ws-shared,socket.io,uws',
    dist: undefined,
    compare: undefined,
    profile: undefined,
  },
  help,
);
const clients = Number(options.clients);
const rounds = Number(options.rounds);
const warmUp = Number(options['warm-up']);
const scenario = {
  topics: 1,
  topicsPerClient: 1,
  messagesPerTick: 1,
  clients,
  tickMs: 500,
  ticks: Number(options.publications),
};

/**
 * The last address used. None is reused, because the ports of closed clients stay busy for a
 * minute.
 */
let addresses = 1;
const entrants = await entrantsOf(options);
process.stdout.write(`## Very many subscribers\n\n${environmentText()}\n\n`);
const results = new Map();
for (const entrant of inTurn(entrants, 0)) results.set(entrant.key, await measure(entrant));
process.stdout.write(`${report()}\n`);

/**
 * @typedef {{ longestMs: number, p99StandstillMs: number }} Standstills
 * @typedef {import('./lib/round.js').Round & Standstills} ManyRound
 * @returns {Promise<ManyRound[]>}
 */
async function measure({ key, file, dist }) {
  progress(`${key}: starting … `);
  const server = await serverProcess(file);
  const { port } = await server.ask('start', { dist });
  const topics = drawTopics(scenario);
  const swarms = [];
  for (let first = 0; first < clients; first += perSwarm) {
    const swarm = swarmProcess();
    await swarm.ask('open', {
      group: key,
      peer: file,
      port,
      topics: topics.slice(first, first + perSwarm),
      firstIndex: first,
      concurrency: 32,
      localAddress: `127.0.0.${String(++addresses)}`,
    });
    swarms.push(swarm);
  }
  const measured = [];
  for (let round = -warmUp; round < rounds; round++) {
    if (round === 0 && options.profile !== undefined) await server.ask('startProfile');
    await server.ask('watchLoop');
    const result = await oneRound({ swarms, server, group: key, scenario });
    const { longestMs, p99Ms } = await server.ask('standstill');
    progress(`${short(longestMs)} ms   `);
    if (round >= 0) measured.push({ ...result, longestMs, p99StandstillMs: p99Ms });
  }
  progress('\n');
  if (options.profile !== undefined) {
    await server.ask('endProfile', { file: fileIn(options.profile, `many-${key}.cpuprofile`) });
  }
  await server.end();
  await Promise.all(swarms.map((swarm) => swarm.end()));
  return measured;
}

function report() {
  const rows = entrants.map(({ key, title }) => {
    const its = results.get(key);
    const lost = its.some((round) => round.lost > 0);
    if (lost) process.exitCode = 1;
    const latencies = its.flatMap(({ latenciesMs }) => latenciesMs);
    return [
      lost ? `${title}: INVALID, not every message was delivered exactly once` : title,
      short(median(its.map(({ longestMs }) => longestMs))),
      short(Math.max(...its.map(({ longestMs }) => longestMs))),
      short(median(its.map(({ p99StandstillMs }) => p99StandstillMs))),
      short(quantile(latencies, 0.5)),
      short(quantile(latencies, 0.99)),
      short(median(its.map(({ cpu }) => cpu))),
      short(median(its.map(({ clientCpu }) => clientCpu))),
    ];
  });
  const ours = results.get('nestjs-live');
  const longest = ours === undefined ? Number.NaN : Math.max(...ours.map(({ longestMs }) => longestMs));
  return [
    `### H: 1 topic × ${clients.toLocaleString('en')} subscribers`,
    '',
    `A publication every ${String(scenario.tickMs)} ms; ${String(rounds)} rounds of ${String(scenario.ticks)}. A standstill is the delay of a timer in the server.`,
    '',
    table(
      [
        'server',
        '>longest standstill, ms',
        '>of all rounds',
        '>p99 of turns',
        '>p50 ms',
        '>p99 ms',
        '>CPU µs/delivery',
        '>clients µs',
      ],
      rows,
    ),
    '',
    ours === undefined
      ? ''
      : targetLine(
          `no standstill above ${String(targetMs)} ms`,
          longest <= targetMs,
          `${short(longest)} ms in the worst round`,
        ) + unsteadyLines([['nestjs-live, CPU', ours.map(({ cpu }) => cpu)]]),
  ].join('\n');
}
