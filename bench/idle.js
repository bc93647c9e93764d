// What does a connection cost that only is there?
import process from 'node:process';
import { Asked } from './lib/asking.js';
import { environmentText } from './lib/environment.js';
import { distAddress, fileIn, progress, readOptions } from './lib/options.js';
import { topicName } from './lib/scenarios.js';
import { median, spread } from './lib/statistics.js';
import { percent, short, table } from './lib/table.js';
import { loadPeer } from './peers/peer.js';

const help = `node bench/idle.js [options]

Prints, for every peer, the memory of an idle connection, and how fast connections are accepted.

  --connections 5000   open at the same time
  --rounds 3           of each peer, each in a new process; their order turns from round to round
  --peers a,b          files of bench/peers, without .js (ws-bare, nestjs-live, socket.io); "+1": with a subscription
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured beside it in the same run
  --profile <folder>   writes a CPU profile of every server while it accepts
  --snapshot <folder>  writes two heap snapshots of every server, without and with the connections
`;

const baseline = 'ws-bare';
/** What CONTRIBUTING promises: bytes of heap above the baseline. */
const targetBytes = 3_072;
/** Opened and closed before anything is measured, so that what is made once is no part of the figure. */
const warmUpConnections = 300;
/** Handshakes under way at a time. */
const concurrency = 64;

const options = readOptions(
  {
    connections: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '3' },
    peers: { type: 'string', default: 'ws-bare,nestjs-live,nestjs-live+1,socket.io' },
    dist: { type: 'string' },
    compare: { type: 'string' },
    profile: { type: 'string' },
    snapshot: { type: 'string' },
  },
  help,
);
const rounds = Number(options.rounds);
const connections = Number(options.connections);

/** @typedef {{ heap: number, external: number, rss: number, perSecond: number, acceptMicros: number }} Round */

const entrants = await Promise.all(options.peers.split(',').map((key) => entrantOf(key, options.dist)));
if (options.compare !== undefined) {
  const ours = entrants.filter(({ file }) => file === 'nestjs-live');
  for (const { key } of ours) entrants.push(await entrantOf(key, options.compare, ', other build'));
}

process.stdout.write(`## Idle connections\n\n${environmentText()}\n\n`);
/** @type {Map<object, Round[]>} */
const results = new Map(entrants.map((entrant) => [entrant, []]));
for (let round = 0; round < rounds; round++) {
  progress(`idle: round ${String(round + 1)}   `);
  const turned = [...entrants.slice(round % entrants.length), ...entrants.slice(0, round % entrants.length)];
  for (const entrant of turned) {
    const result = await oneRound(entrant);
    progress(`${entrant.key} ${short(result.heap)} B   `);
    results.get(entrant).push(result);
  }
  progress('\n');
}
process.stdout.write(`${report()}\n`);

async function entrantOf(key, dist, addition = '') {
  const [file, topics = '0'] = key.split('+');
  const { title } = await loadPeer(file);
  const subscribed = topics === '0' ? '' : `, ${topics} subscription${topics === '1' ? '' : 's'} each`;
  return { key, file, topics: Number(topics), dist: distAddress(dist), title: title + subscribed + addition };
}

/** @returns {Promise<Round>} */
async function oneRound({ key, file, topics, dist }) {
  const swarm = new Asked({ script: new URL('lib/swarm-process.js', import.meta.url), core: 1 });
  const server = new Asked({
    script: new URL('lib/server-process.js', import.meta.url),
    args: [file],
    core: 0,
    nodeOptions: ['--expose-gc'],
  });
  const { port } = await server.ask('start', { dist });
  const open = (group, count) => {
    const its = Array.from({ length: topics }, (_, i) => topicName(i));
    const about = { group, peer: file, port, topics: Array.from({ length: count }, () => its), concurrency };
    return swarm.ask('open', about);
  };
  await open('warm-up', warmUpConnections);
  await swarm.ask('close', { group: 'warm-up' });
  const before = await server.ask('memory');
  await snapshot(server, `${key}-without`);
  if (options.profile !== undefined) await server.ask('startProfile');
  await server.ask('startClock');
  const { ms } = await open('idle', connections);
  const { cpuMicros } = await server.ask('cost');
  if (options.profile !== undefined) {
    await server.ask('endProfile', { file: fileIn(options.profile, `${key}.cpuprofile`) });
  }
  const after = await server.ask('memory');
  await snapshot(server, `${key}-with`);
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
      Number.isNaN(baseHeap) ? '–' : `${heap < baseHeap ? '' : '+'}${(heap - baseHeap).toFixed(0)}`,
      short(median(of(entrant, 'external'))),
      short(median(of(entrant, 'rss'))),
      short(median(of(entrant, 'perSecond'))),
      short(median(of(entrant, 'acceptMicros'))),
    ];
  });
  const lines = entrants
    .filter(({ file }) => file === 'nestjs-live' && base !== undefined)
    .map((entrant) => {
      const more = median(of(entrant, 'heap')) - baseHeap;
      const met = more <= targetBytes ? 'met' : 'MISSED';
      return `Target: heap of bare ws + at most ${String(targetBytes)} bytes: ${met} (${entrant.title}: ${more.toFixed(0)}).\n`;
    });
  return [
    `${String(connections)} connections, ${String(rounds)} rounds; bytes for each connection.`,
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
    lines.join(''),
  ].join('\n');
}
