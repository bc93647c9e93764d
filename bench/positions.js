// What do a publication and reading the ends of 10,000 topics cost Redis or NATS, in two builds?
import process from 'node:process';
import { inTurn } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { brokerOn, engines } from './lib/engines.js';
import { median } from './lib/statistics.js';
import { short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/positions.js [options]

  --engine <name>     redis or nats (redis)
  --rounds <n>        rounds of each build, in turn (7)
  --messages <n>      publications per round, 50 in flight (2000)
  --topics <n>        topics whose positions are read (10000)
  --dist <folder>     the build of nestjs-live (../dist)
  --compare <folder>  another build, inside a repository with its node_modules, for ratios
`;

const names = ['engine', 'rounds', 'messages', 'topics', 'dist', 'compare'];
const options = await readOptions(Object.fromEntries(names.map((name) => [name, undefined])), help);
const [rounds, messages, topics] = [
  [options.rounds, 7],
  [options.messages, 2_000],
  [options.topics, 10_000],
].map(([given, fallback]) => Number(given ?? fallback));
const inFlight = 50;

const name = options.engine ?? 'redis';
const engine = engines[name];
if (engine?.version === undefined) {
  process.stdout.write(
    `## Positions\n\nINVALID: ${engine === undefined ? `--engine must be redis or nats` : `${engine.program} is not installed (apt-get install ${engine.program})`}.\n\n`,
  );
  process.exit(1);
}
const about = environmentText()
  .split('\n')
  .slice(0, 3)
  .concat(`${engine.title} ${engine.version}, not pinned to a core`)
  .join('\n');

const store = await engine.start();

async function open(prefix, dist) {
  const broker = await brokerOn({ engine: name, url: store.url, prefix }, dist);
  await new Promise((available) => {
    broker.start({
      publication() {},
      suspect() {},
      availability: (is) => is && available(),
      signal() {},
    });
  });
  return broker;
}

const history = { size: 100, ttlMs: 60_000, maxBytes: 1_000_000 };
const data = JSON.stringify({ note: 'x'.repeat(200) });
const settings = {
  'no history': () => ({}),
  history: () => ({ history }),
  'history, last-per-key': (i) => ({ history, latest: 'last-per-key', key: `key ${String(i % 20)}` }),
};

function publishing(name, over) {
  const each = `${name}, ${String(over)} topic${over === 1 ? '' : 's'}`;
  return {
    name: `publish: ${each}`,
    calls: messages,
    async run(broker) {
      for (let sent = 0; sent < messages; sent += inFlight) {
        const turn = Array.from({ length: Math.min(inFlight, messages - sent) }, (_, i) => sent + i);
        await Promise.all(
          turn.map((i) => broker.publish(`${each} ${String(i % over)}`, data, settings[name](i))),
        );
      }
    },
  };
}

const all = Array.from({ length: topics }, (_, i) => `tenants/42/devices/${String(i)}`);
const workloads = [
  ...Object.keys(settings).flatMap((name) => [publishing(name, 1), publishing(name, 100)]),
  { name: `positions of ${String(topics)} topics`, calls: 1, run: (broker) => broker.tops(all) },
];

/** The cost of one call in a round, in microseconds and bytes. */
async function measure(broker, { calls, run }) {
  await store.reset();
  const [start, before] = [performance.now(), process.cpuUsage()];
  await run(broker);
  const wall = (performance.now() - start) * 1_000;
  const { user, system } = process.cpuUsage(before);
  const { usec, bytes } = await store.figures();
  return [usec, wall, user + system, bytes].map((figure) => figure / calls);
}

const builds = [{ title: 'this build', broker: await open('this', distAddress(options.dist)) }];
if (options.compare !== undefined)
  builds.push({ title: 'other build', broker: await open('other', distAddress(options.compare)) });
for (const { broker } of builds)
  for (let at = 0; at < topics; at += 500)
    await Promise.all(all.slice(at, at + 500).map((topic) => broker.publish(topic, '1', {})));

const rows = [];
const slower = [];
for (const workload of workloads) {
  progress(`${workload.name}\n`);
  const figures = new Map(builds.map((build) => [build, []]));
  for (let round = 0; round <= rounds; round++)
    for (const build of inTurn(builds, round)) {
      const figure = await measure(build.broker, workload);
      // The first round is a warm-up.
      if (round > 0) figures.get(build).push(figure);
    }
  const [ours, others] = [...figures.values()];
  const columns = [0, 1, 2, 3];
  for (const [build, taken] of figures)
    rows.push([
      workload.name,
      build.title,
      ...columns.map((column) => short(median(taken.map((figure) => figure[column])))),
    ]);
  if (others === undefined) continue;
  const ratios = columns.map((column) =>
    median(ours.map((figure, round) => figure[column] / others[round][column])),
  );
  rows.push([
    workload.name,
    'ratio',
    ...ratios.map((ratio) => (Number.isNaN(ratio) ? '–' : ratio.toFixed(3))),
  ]);
  const judged = ratios[engine.judged];
  if (judged > 1.05) slower.push(`${workload.name} ${judged.toFixed(3)}`);
}

const head = [
  'workload',
  'build',
  `>${engine.title} µs/call`,
  '>wall µs',
  '>CPU µs of the instance',
  '>bytes',
];
process.stdout.write(`## Positions

Through a broker alone, without client sockets: the cost of each publication of ${String(data.length)} bytes with ${String(inFlight)} in flight, and of reading the ends of all topics.

${about}

${table(head, rows)}

`);
if (options.compare !== undefined)
  process.stdout.write(
    targetLine(
      `in no workload more than 1.05 × the ${engine.judged === 0 ? `time in ${engine.title}` : 'wall time'} of the other build`,
      slower.length === 0,
      slower.length === 0 ? 'all' : slower.join('; '),
    ),
  );
for (const { broker } of builds) await broker.close();
await store.stop();
process.exit(0);
