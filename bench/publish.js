// What does a call of LiveService.publish cost the application?
import process from 'node:process';
import { contest } from './lib/contest.js';
import { engines } from './lib/engines.js';
import { entrantsOf } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { readOptions } from './lib/options.js';
import { topicName } from './lib/scenarios.js';
import { meansOf, median, spread } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

/** The options of each kind of topic. */
const topics = {
  plain: {},
  history: { history: {} },
  'last-per-key': { history: {}, snapshot: 'last-per-key' },
  presence: { presence: true },
  schema: { data: 'any' },
  valibot: { data: 'valibot' },
};
const keys = 20;
/** The fewest publications of one round, and those in one turn of the event loop. */
const messagesOf = { memory: 200_000, redis: 20_000, nats: 60_000 };
const inFlight = 100;
/** Parts of a round in which the builds take turns. */
const passes = 5;
/** Publications before the reader must have read all. More of them could get it cut as too slow. */
const unread = 5_000;

const help = `node bench/publish.js [options]

Prints the microseconds of each publication on topics with no reader and with one, through the whole application.

  --brokers a,b        which of memory, redis, nats (all that are installed)
  --topics a,b         which of ${Object.keys(topics).join(', ')} (all that the build has)
  --messages <n>       publications per round, ${String(inFlight)} in flight (memory ${String(messagesOf.memory)}, redis ${String(messagesOf.redis)}, nats ${String(messagesOf.nats)})
  --rounds 7           measured rounds of each build, in turn
  --warm-up 3          unmeasured rounds before them
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured in the same run
  --profile <folder>   writes a CPU profile of each measured server
`;

const options = await readOptions(
  {
    brokers: 'memory,redis,nats',
    topics: Object.keys(topics).join(','),
    messages: undefined,
    rounds: '7',
    'warm-up': '3',
    dist: undefined,
    compare: undefined,
    profile: undefined,
  },
  help,
);
const rounds = Number(options.rounds);
const entrants = await entrantsOf({ ...options, peers: 'nestjs-live' });
const rows = [];
const judged = [];
let historyRatios = [];

const missing = options.brokers
  .split(',')
  .filter((broker) => broker !== 'memory' && engines[broker]?.version === undefined);
process.stdout.write(`## Publishing\n\n${environmentText()}\n`);
for (const broker of missing)
  process.stdout.write(
    `Left out: ${broker} (apt-get install ${broker === 'redis' ? 'redis' : broker}-server)\n`,
  );
for (const broker of options.brokers.split(',').filter((each) => !missing.includes(each))) {
  const engine = broker === 'memory' ? undefined : await engines[broker].start();
  for (const topic of options.topics.split(',')) {
    // A prefix for each build: they may store differently.
    const stores = Object.fromEntries(
      entrants.map(({ key }, i) => [
        key,
        engine && { engine: broker, url: engine.url, prefix: `${topic}${i}` },
      ]),
    );
    addRows(broker, topic, await measure(broker, topic, stores));
  }
  await engine?.stop();
}
process.stdout.write(`\n${report()}\n`);

/** The showings of the builds with one kind of topic. */
function measure(broker, topic, stores) {
  const count = Math.ceil(Number(options.messages ?? messagesOf[broker]) / passes);
  const about = { count, inFlight, keys: topic === 'last-per-key' ? keys : undefined };
  return contest({
    name: `${broker} ${topic}`,
    entrants: entrants.map((entrant) => ({ ...entrant, store: stores[entrant.key] })),
    rounds,
    warmUp: Number(options['warm-up']),
    passes,
    merge: (parts) => {
      const [none, one] = ['none', 'one'].map((readers) => mean(parts.map((part) => part[readers])));
      return { cpu: none.cpu, none, one };
    },
    start: { topic: topics[topic] },
    // The one client reads the topic of this number.
    clients: { topics: [[topicName(1)]], concurrency: 1 },
    profile: options.profile,
    async round({ server, swarm, group }) {
      const none = await server.ask('publish', { ...about, topic: topicName(0) });
      const one = await read({ server, swarm, group }, { ...about, topic: topicName(1) });
      return { cpu: none.cpu, none, one };
    },
  });
}

/** Publishes as much as the buffers of a connection hold, waits for the reader, and goes on. */
async function read({ server, swarm, group }, about) {
  const parts = [];
  for (let left = about.count; left > 0; left -= unread) {
    const count = Math.min(left, unread);
    await swarm.ask('begin', { group });
    parts.push(await server.ask('publish', { ...about, count }));
    const { delivered } = await swarm.ask('finish', { group, perClient: count });
    if (delivered !== count)
      throw new Error(`The reader got ${String(delivered)} of ${String(count)} publications.`);
  }
  return mean(parts);
}

function mean(parts) {
  return meansOf(parts, ['cpu', 'wall', 'stringify']);
}

function addRows(broker, topic, showings) {
  const other = entrants.find(({ key }) => key !== 'nestjs-live');
  const cpusOf = (key, readers) => showings.get(key).rounds.map((round) => round[readers].cpu);
  const ratiosOf = (key, readers) => {
    const base = cpusOf(other.key, readers);
    return cpusOf(key, readers).map((cpu, i) => cpu / base[i]);
  };
  for (const { key, title } of entrants) {
    const { started, rounds: its } = showings.get(key);
    if (topics[topic].data !== undefined && !started.validates) continue;
    const cells = ['none', 'one'].flatMap((readers) => {
      const texts = its.map((round) => round[readers].cpu / round[readers].stringify);
      judged.push([`${title}, ${broker}, ${topic}, ${readers} reading`, texts]);
      return [
        short(median(cpusOf(key, readers))),
        percent(spread(cpusOf(key, readers))),
        short(median(its.map((round) => round[readers].wall))),
        `${short(median(texts))} ${percent(spread(texts))}`,
        ...(other === undefined ? [] : [median(ratiosOf(key, readers)).toFixed(3)]),
      ];
    });
    rows.push([broker, topic, ...(other === undefined ? [] : [title]), ...cells]);
  }
  if (other !== undefined && broker === 'memory' && topic === 'history')
    historyRatios = ratiosOf('nestjs-live', 'none');
}

function report() {
  const compares = entrants.length > 1;
  const columns = (readers) => [
    `>${readers}: CPU µs`,
    '>spread',
    '>wall µs',
    '>× stringify',
    ...(compares ? ['>ratio'] : []),
  ];
  const ratio = median(historyRatios);
  return [
    `${String(rounds)} rounds of publications of 240 bytes, ${String(inFlight)} in a turn of the event loop. CPU is that of the application's process; the client and the engines have their own. \`× stringify\` is relative to a \`JSON.stringify\` of the same data in the same process.`,
    '',
    table(
      ['broker', 'topic', ...(compares ? ['build'] : []), ...columns('no reader'), ...columns('one')],
      rows,
    ),
    '',
    (historyRatios.length === 0
      ? ''
      : targetLine(
          'at most 0.5 × the CPU time of the other build, memory, history, no reader',
          ratio <= 0.5,
          ratio.toFixed(3),
        )) + unsteadyLines(judged),
  ].join('\n');
}
