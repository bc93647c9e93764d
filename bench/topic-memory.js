// What does a topic with one subscriber keep in memory, and does it leave nothing behind?
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { entrantsOf, serverProcess, swarmProcess } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { fileIn, progress, readOptions } from './lib/options.js';
import { topicName } from './lib/scenarios.js';
import { median, spread } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/topic-memory.js [options]

Prints, for every peer, the memory of a topic with its one subscription, and what remains of it once all clients have
left. The connections themselves are measured without topics, and do not count.

  --topics 100000      of one subscriber each
  --connections 1000   that share them; nestjs-live allows 128 topics per connection
  --wait 5             seconds after clients have left
  --rounds 3           in the same process of each peer, one peer at a time
  --peers a,b          files of bench/peers, without .js (see fan-out.js)
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured in the same run
  --snapshot <folder>  writes two heap snapshots of each server in the last round, without and with the topics
`;

/** The most that may remain, as a share of what the topics took. */
const mostLeft = 0.02;

const options = await readOptions(
  {
    topics: '100000',
    connections: '1000',
    wait: '5',
    rounds: '3',
    peers: 'nestjs-live,ws-loop,socket.io,uws,bun,nchan',
    dist: undefined,
    compare: undefined,
    snapshot: undefined,
  },
  help,
);
const connections = Number(options.connections);
const perConnection = Math.ceil(Number(options.topics) / connections);
const topics = perConnection * connections;
const rounds = Number(options.rounds);
const waitMs = Number(options.wait) * 1_000;
/** Clients subscribe as fast as they can. */
const module = { dangerouslyUnlimitedInbound: true };

/** The topics of each client: none, and new ones in each round, like those of new users. */
const without = Array.from({ length: connections }, () => []);
const each = (round) =>
  without.map((_, client) =>
    Array.from({ length: perConnection }, (_, i) => topicName(round * topics + client * perConnection + i)),
  );

const entrants = await entrantsOf(options);
process.stdout.write(`## Topics of one subscriber\n\n${environmentText()}\n\n`);
const results = new Map();
for (const entrant of entrants) results.set(entrant.key, await measure(entrant));
process.stdout.write(`${report()}\n`);

/** The rounds of a server, after a warm-up that makes its tables grow. */
async function measure({ key, file, dist }) {
  progress(`${key}: `);
  const swarm = swarmProcess();
  const server = await serverProcess(file, ['--expose-gc']);
  const { port } = await server.ask('start', { dist, module });
  const open = (group, its) => swarm.ask('open', { group, peer: file, port, topics: its, concurrency: 16 });
  const leave = async (group) => {
    await swarm.ask('close', { group });
    await sleep(waitMs);
    return server.ask('memory');
  };
  const its = [];
  for (let round = 0; round <= rounds; round++) {
    const takesSnapshots = round === rounds && options.snapshot !== undefined;
    await open('without', without);
    const bare = await server.ask('memory');
    const before = await leave('without');
    if (takesSnapshots) await snapshot(server, `${key}-without`);
    await open('each', each(round));
    const full = await server.ask('memory');
    if (takesSnapshots) await snapshot(server, `${key}-with`);
    const after = await leave('each');
    const topicBytes = (figure) => (full[figure] - bare[figure]) / topics;
    const leftBytes = (figure) => after[figure] - before[figure];
    const result = { heap: topicBytes('heapUsed'), rss: topicBytes('rss'), left: leftBytes('heapUsed') };
    progress(`${short(result.heap)} B, ${short(result.left / 1_024)} KiB left   `);
    if (round > 0) its.push({ ...result, leftRss: leftBytes('rss') });
  }
  progress('\n');
  await server.end();
  await swarm.end();
  return its;
}

async function snapshot(server, name) {
  await server.ask('snapshot', { file: fileIn(options.snapshot, `${name}.heapsnapshot`) });
}

function report() {
  const of = (key, figure) => results.get(key).map((round) => round[figure]);
  const kibibytes = (bytes) => short(bytes / 1_024);
  const rows = entrants.map(({ key, title }) => [
    title,
    short(median(of(key, 'heap'))),
    percent(spread(of(key, 'heap'))),
    short(median(of(key, 'rss'))),
    kibibytes(median(of(key, 'left'))),
    kibibytes(Math.max(...of(key, 'left'))),
    kibibytes(median(of(key, 'leftRss'))),
  ]);
  const ours = entrants.find(({ key }) => key === 'nestjs-live');
  const left =
    ours === undefined
      ? []
      : of(ours.key, 'left').map((bytes, i) => bytes / (of(ours.key, 'heap')[i] * topics));
  return [
    `${topics.toLocaleString('en')} topics of one subscriber each on ${connections.toLocaleString('en')} connections, ${String(rounds)} rounds after a warm-up. Left is what the server has more than before, ${String(waitMs / 1_000)} s after all clients have gone.`,
    '',
    table(
      [
        'server',
        '>heap bytes/topic',
        '>spread',
        '>RSS bytes/topic',
        '>heap left, KiB',
        '>at most',
        '>RSS left',
      ],
      rows,
    ),
    '',
    ours === undefined
      ? ''
      : targetLine(
          `at most ${String(mostLeft * 100)} % of the topics' heap left in any round`,
          Math.max(...left) <= mostLeft,
          `${(Math.max(...left) * 100).toFixed(2)} %`,
        ) + unsteadyLines([[ours.title, of(ours.key, 'heap')]]),
  ].join('\n');
}
