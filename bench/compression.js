// What does compression cost a server, and what does it save?
import process from 'node:process';
import { contest } from './lib/contest.js';
import { entrantsOf } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { readOptions } from './lib/options.js';
import { oneRound } from './lib/round.js';
import { drawTopics, scaled } from './lib/scenarios.js';
import { median, spread } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/compression.js [options]

Publishes 1 KB of JSON to clients that offer permessage-deflate: nestjs-live and ws (which compresses for
each client), both with and without compression.

  --rounds 5           measured rounds of each, in rotating order
  --warm-up 2          unmeasured rounds before them
  --share 1            fraction of the clients and ticks, for a quick try
  --dist ../dist       the build of nestjs-live
`;

/** Bytes relative to plain, and growth of the compression cost relative to a deflate per client. */
const targets = { bytes: 0.4, growth: 0.1 };

const options = await readOptions(
  {
    rounds: '5',
    'warm-up': '2',
    share: '1',
    dist: undefined,
  },
  help,
);
const rounds = Number(options.rounds);
const warmUp = Number(options['warm-up']);

const base = { topics: 1, topicsPerClient: 1, messagesPerTick: 1, payload: 'fleet' };
const [few, many] = [
  { ...base, clients: 10, tickMs: 25, ticks: 40 },
  { ...base, clients: 1_000, tickMs: 300, ticks: 5 },
].map((scenario) => scaled(scenario, Number(options.share)));

const [live, shared, deflate] = await entrantsOf({
  peers: 'nestjs-live,ws-shared,ws-deflate',
  dist: options.dist,
});
const entrants = [
  { ...live, key: 'plain', title: 'nestjs-live, plain' },
  {
    ...live,
    key: 'compressed',
    title: 'nestjs-live, compressed once for all',
    module: { compression: true },
  },
  shared,
  deflate,
];
/** The entrant that sends the same without compression. */
const plainOf = { compressed: 'plain', 'ws-deflate': 'ws-shared' };

process.stdout.write(`## Compression\n\n${environmentText()}\n\n`);
const atFew = await measure(few);
const atMany = await measure(many);
process.stdout.write(`${report()}\n`);

/** @returns {Promise<Map<string, import('./lib/round.js').Round[]>>} */
async function measure(scenario) {
  const showings = await contest({
    name: `${String(scenario.clients)} clients`,
    entrants,
    rounds,
    warmUp,
    clients: { topics: drawTopics(scenario), concurrency: 32, inflates: true },
    round: ({ server, swarm, group }) => oneRound({ swarms: [swarm], server, group, scenario }),
  });
  return new Map([...showings].map(([key, { rounds }]) => [key, rounds]));
}

function report() {
  const rows = entrants.map(({ key, title }) => {
    const all = [...atFew.get(key), ...atMany.get(key)];
    const faults = [
      all.some(({ lost }) => lost > 0) && 'not every message was delivered exactly once',
      all.some(({ compressed }) => compressed !== (key in plainOf ? 1 : 0)) &&
        'not every message was compressed as requested',
    ].filter(Boolean);
    if (faults.length > 0) process.exitCode = 1;
    return [
      faults.length > 0 ? `${title}: INVALID, ${faults.join(', ')}` : title,
      short(median(bytesOf(key))),
      short(median(microsOf(atFew, key))),
      short(median(microsOf(atMany, key))),
      percent(spread(microsOf(atMany, key))),
      short(median(growthOf(key))),
      key in plainOf ? short(median(addedGrowthOf(key))) : '–',
    ];
  });
  const share = median(bytesOf('compressed')) / median(bytesOf('plain'));
  const growths = ratios(addedGrowthOf('compressed'), addedGrowthOf('ws-deflate'));
  const growth = median(growths);
  const withWrites = median(growthOf('compressed')) / median(growthOf('ws-deflate'));
  return [
    `### G: 1 topic, 1 KB of JSON, ${String(few.clients)} and ${String(many.clients)} clients`,
    '',
    `All clients offer permessage-deflate. ${String(rounds)} rounds of each. Microseconds are the server's CPU time for one publication to all clients.`,
    '',
    table(
      [
        'server',
        '>bytes/delivery',
        `>µs, ${String(few.clients)} clients`,
        `>µs, ${String(many.clients)} clients`,
        '>spread',
        '>growth, µs',
        '>by compression, µs',
      ],
      rows,
    ),
    '',
    targetLine(`at most ${percentOf(targets.bytes)} of the bytes`, share <= targets.bytes, percentOf(share)) +
      targetLine(
        `the compression cost grows less than ${percentOf(targets.growth)} as fast as that of a deflate per client`,
        growth < targets.growth,
        `${percentOf(growth)}; of all rounds ${percentOf(Math.min(...growths))}–${percentOf(Math.max(...growths))}; ` +
          `including the writes, which exist without compression, ${percentOf(withWrites)}`,
      ) +
      unsteadyLines([
        [
          'compressed × ws with a deflate per client',
          ratios(microsOf(atMany, 'compressed'), microsOf(atMany, 'ws-deflate')),
        ],
      ]),
  ].join('\n');
}

/** Growth by compression alone, without the growth of a server that sends the same plain. */
function addedGrowthOf(key) {
  const plain = growthOf(plainOf[key]);
  return growthOf(key).map((micros, i) => micros - plain[i]);
}

function bytesOf(key) {
  return atMany.get(key).map(({ bytes }) => bytes);
}

function microsOf(results, key) {
  const { clients } = results === atFew ? few : many;
  return results.get(key).map(({ cpu }) => cpu * clients);
}

function growthOf(key) {
  const start = median(microsOf(atFew, key));
  return microsOf(atMany, key).map((micros) => micros - start);
}

function ratios(values, others) {
  return values.map((value, i) => value / others[i]);
}

function percentOf(share) {
  return `${(share * 100).toFixed(1)} %`;
}
