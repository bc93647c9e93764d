// What does a server do for clients while nothing is published?
import process from 'node:process';
import { contest } from './lib/contest.js';
import { entrantsOf } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { readOptions } from './lib/options.js';
import { topicName } from './lib/scenarios.js';
import { median, spread } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/quiet.js [options]

Prints, for every peer, the CPU time of a server with subscribed clients, a topic each, that sends and gets nothing but
pings.

  --connections 1000
  --rounds 7           of all peers at once, since an idle server does not disturb another
  --seconds 25         of a round: one interval of pings
  --peers a,b          files of bench/peers, without .js (see fan-out.js; ws-bare)
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured in the same run
  --profile <folder>   writes a CPU profile of each server
`;

/** Milliseconds of CPU per second. */
const target = { ms: 1.5, connections: 1_000 };

const options = await readOptions(
  {
    connections: '1000',
    rounds: '7',
    seconds: '25',
    peers: 'nestjs-live,ws-loop,ws-pings,nest-ws,socket.io,uws,bun,nchan',
    dist: undefined,
    compare: undefined,
    profile: undefined,
  },
  help,
);
const connections = Number(options.connections);
const rounds = Number(options.rounds);
const entrants = await entrantsOf(options);

process.stdout.write(`## Quiet connections\n\n${environmentText()}\n\n`);
const showings = await contest({
  name: 'quiet',
  entrants,
  rounds: 0,
  warmUp: 0,
  clients: { topics: Array.from({ length: connections }, (_, i) => [topicName(i)]), concurrency: 32 },
  idleSeconds: Number(options.seconds),
  // The first phase still collects what the opening of the connections left.
  idlePhases: rounds + 1,
  profile: options.profile,
  round: () => Promise.reject(new Error('There are no rounds')),
});
process.stdout.write(`${report()}\n`);

function report() {
  const figuresOf = (key) => showings.get(key).idle.slice(1);
  const rows = entrants.map(({ key, title }) => {
    const figures = figuresOf(key);
    return [
      title,
      short(median(figures)),
      percent(spread(figures)),
      short(Math.min(...figures)),
      short(Math.max(...figures)),
    ];
  });
  const ours = entrants.find(({ key }) => key === 'nestjs-live');
  const figures = ours === undefined ? [] : figuresOf(ours.key);
  return [
    `${String(connections)} connections with a topic each, ${String(rounds)} rounds of ${options.seconds} s. Milliseconds of the server's CPU time per second. nestjs-live, ws with pings and socket.io ping every 25 s, Bun and uWebSockets.js ping silent clients within 2 minutes, the others never.`,
    '',
    table(['server', '>CPU ms/s', '>spread', '>of all rounds', '>to'], rows),
    '',
    (ours === undefined || connections !== target.connections
      ? ''
      : targetLine(
          `at most ${String(target.ms)} ms/s`,
          median(figures) <= target.ms,
          short(median(figures)),
        )) + (ours === undefined ? '' : unsteadyLines([[ours.title, figures]])),
  ].join('\n');
}
