// What does an idle connection cost?
import process from 'node:process';
import { entrantsOf, inTurn, serverProcess, swarmProcess } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { fileIn, progress, readOptions } from './lib/options.js';
import { topicName } from './lib/scenarios.js';
import { median, spread } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/idle.js [options]

Prints, for every peer, the memory of an idle connection, and how fast connections are accepted.

  --connections 5000   open at the same time
  --rounds 5           of each peer, each in a new process, in rotating order
  --peers a,b          files of bench/peers, without .js (see fan-out.js; ws-bare; nestjs-live-recover); "+1": with a subscription
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured in the same run
  --profile <folder>   writes a CPU profile of each server while it accepts
  --snapshot <folder>  writes two heap snapshots of each server, without and with the connections
`;

const baseline = 'ws-bare';
/**
 * Bytes of heap above the baseline, accepts a second relative to the baseline, and CPU time of an
 * accept relative to the baseline: of an accept alone, and with a subscribe that recovers.
 */
const targets = { bytes: 3_072, accepts: 0.6, cpu: 1.8, recoveringCpu: 2.8 };
/** The peer whose clients recover what they missed. */
const recovering = 'nestjs-live-recover';
/** Opened and closed before the measurement, so that one-time allocations do not count. */
const warmUpConnections = 300;
/**
 * Waves of connections before the measured one. V8 needs some 10,000 to compile the accept path.
 */
const warmUpWaves = 3;
/** Handshakes in flight. */
const concurrency = 64;

const options = await readOptions(
  {
    connections: '5000',
    rounds: '5',
    peers: 'ws-bare,nestjs-live,nestjs-live+1,nestjs-live-recover+1,nest-ws,socket.io,uws,bun,nchan',
    dist: undefined,
    compare: undefined,
    profile: undefined,
    snapshot: undefined,
  },
  help,
);
const rounds = Number(options.rounds);
const connections = Number(options.connections);

/**
 * @typedef {object} Round
 * @property {number} heap
 * @property {number} external
 * @property {number} rss
 * @property {number} perSecond
 * @property {number} acceptMicros
 */

const entrants = await entrantsOf(options);

process.stdout.write(`## Idle connections\n\n${environmentText()}\n\n`);
/** @type {Map<object, Round[]>} */
const results = new Map(entrants.map((entrant) => [entrant, []]));
for (let round = 0; round < rounds; round++) {
  progress(`idle: round ${String(round + 1)}   `);
  for (const entrant of inTurn(entrants, round)) {
    const result = await oneRound(entrant);
    progress(`${entrant.key} ${short(result.heap)} B   `);
    results.get(entrant).push(result);
  }
  progress('\n');
}
process.stdout.write(`${report()}\n`);

/** @returns {Promise<Round>} */
async function oneRound({ key, file, topics, dist }) {
  const swarm = swarmProcess();
  const server = await serverProcess(file, ['--expose-gc']);
  const { port } = await server.ask('start', { dist });
  const open = (group, count) => {
    const its = Array.from({ length: topics }, (_, i) => topicName(i));
    const everyones = Array.from({ length: count }, () => its);
    return swarm.ask('open', { group, peer: file, port, topics: everyones, concurrency });
  };
  await open('warm-up', warmUpConnections);
  await swarm.ask('close', { group: 'warm-up' });
  const before = await server.ask('memory');
  await snapshot(server, `${key}-without`);
  await open('idle', connections);
  const after = await server.ask('memory');
  await snapshot(server, `${key}-with`);
  await swarm.ask('close', { group: 'idle' });
  for (let i = 0; i < warmUpWaves; i++) {
    await open('wave', connections);
    await swarm.ask('close', { group: 'wave' });
    await server.ask('memory');
  }
  if (options.profile !== undefined) await server.ask('startProfile');
  await server.ask('startClock');
  const { ms } = await open('accepts', connections);
  const { cpuMicros } = await server.ask('cost');
  if (options.profile !== undefined) {
    await server.ask('endProfile', { file: fileIn(options.profile, `${key}.cpuprofile`) });
  }
  await server.end();
  await swarm.end();
  return {
    heap: (after.heapUsed - before.heapUsed) / connections,
    external: (after.external - before.external) / connections,
    rss: (after.rss - before.rss) / connections,
    perSecond: connections / (ms / 1_000),
    acceptMicros: cpuMicros / connections,
  };
}

async function snapshot(server, name) {
  if (options.snapshot === undefined) return;
  await server.ask('snapshot', { file: fileIn(options.snapshot, `${name}.heapsnapshot`) });
}

function report() {
  const of = (entrant, figure) => results.get(entrant).map((round) => round[figure]);
  const base = entrants.find(({ key }) => key === baseline);
  const baseHeap = base === undefined ? Number.NaN : median(of(base, 'heap'));
  const rows = entrants.map((entrant) => {
    const heap = median(of(entrant, 'heap'));
    return [
      entrant.title,
      short(heap),
      percent(spread(of(entrant, 'heap'))),
      Number.isNaN(heap - baseHeap) ? '–' : `${heap < baseHeap ? '' : '+'}${(heap - baseHeap).toFixed(0)}`,
      short(median(of(entrant, 'external'))),
      short(median(of(entrant, 'rss'))),
      short(median(of(entrant, 'perSecond'))),
      short(median(of(entrant, 'acceptMicros'))),
    ];
  });
  const judged = entrants.filter(({ key, file }) => key === baseline || file.startsWith('nestjs-live'));
  const lines =
    base === undefined ? [] : entrants.filter(({ file }) => file.startsWith('nestjs-live')).map(verdict);
  return [
    `${String(connections)} connections, ${String(rounds)} rounds; bytes per connection.`,
    '',
    table(
      [
        'server',
        '>heap',
        '>spread',
        '>to bare ws',
        '>external',
        '>RSS',
        '>accepts/s',
        '>server CPU µs/accept',
      ],
      rows,
    ),
    '',
    lines.join('') + unsteadyLines(judged.map((entrant) => [entrant.title, of(entrant, 'heap')])),
  ].join('\n');

  function cpuVerdict(entrant, most) {
    const ratio = median(of(entrant, 'acceptMicros')) / median(of(base, 'acceptMicros'));
    const text = `at most ${String(most)} × the CPU time of an accept of bare ws, ${entrant.title}`;
    return targetLine(text, ratio <= most, ratio.toFixed(2));
  }

  function verdict(entrant) {
    if (entrant.file === recovering) return cpuVerdict(entrant, targets.recoveringCpu);
    const more = median(of(entrant, 'heap')) - baseHeap;
    const memory = targetLine(
      `heap of bare ws + at most ${String(targets.bytes)} bytes, ${entrant.title}`,
      more <= targets.bytes,
      `${more.toFixed(0)}`,
    );
    // A subscription adds a message and its answer, which bare ws has no equivalent of.
    if (entrant.topics > 0) return memory;
    const shares = of(entrant, 'perSecond').map((perSecond, i) => perSecond / of(base, 'perSecond')[i]);
    const share = median(shares);
    const accepts = targetLine(
      `at least ${String(targets.accepts)} × the accepts of bare ws, ${entrant.title}`,
      share >= targets.accepts,
      share.toFixed(2),
    );
    return memory + accepts + cpuVerdict(entrant, targets.cpu);
  }
}
