// What does the second door cost a server, compared with the WebSocket?
import process from 'node:process';
import { contest } from './lib/contest.js';
import { entrantsOf, inTurn, serverProcess, swarmProcess } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { progress, readOptions } from './lib/options.js';
import { oneRound } from './lib/round.js';
import { drawTopics, scaled, scenarios, topicName } from './lib/scenarios.js';
import { median, spread } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/doors.js [options]

Prints, for WebSockets and event streams, the server's CPU time per delivered message and the heap of a connection.

  --scenarios A,B,…    of fan-out.js (A, B)
  --rounds 9           measured rounds of each door in each scenario, in rotating order
  --warm-up 4          unmeasured rounds before them
  --connections 2000   open at the same time, with a subscription each, for the heap
  --heap-rounds 3      of each door, each in a new process
  --share 1            fraction of the clients and ticks, for a quick try
  --dist ../dist       the build of nestjs-live
  --profile <folder>   writes a CPU profile of each server's measured rounds, which makes them slower
`;

/** Of an event stream, relative to a WebSocket. */
const targets = { cpu: 1.3, heap: 1.3 };
const [sockets, streams] = ['nestjs-live', 'nestjs-live-sse'];
/** Opened and closed before the measurement, so that one-time allocations do not count. */
const warmUpConnections = 300;

const options = await readOptions(
  {
    scenarios: 'A,B',
    rounds: '9',
    'warm-up': '4',
    connections: '2000',
    'heap-rounds': '3',
    share: '1',
    dist: undefined,
    profile: undefined,
  },
  help,
);
const connections = Number(options.connections);
const entrants = await entrantsOf({ peers: `${sockets},${streams}`, dist: options.dist });

process.stdout.write(`## Doors\n\n${environmentText()}\n\n`);
for (const name of options.scenarios.split(',')) await deliveries(name);
await heaps();

async function deliveries(name) {
  const scenario = scaled(scenarios[name], Number(options.share));
  const showings = await contest({
    name,
    entrants,
    rounds: Number(options.rounds),
    warmUp: Number(options['warm-up']),
    start: { topic: scenario.topic },
    clients: { topics: drawTopics(scenario), concurrency: 32 },
    profile: options.profile,
    round: ({ server, swarm, group }) => oneRound({ swarms: [swarm], server, group, scenario }),
  });
  const rounds = new Map(entrants.map(({ key }) => [key, showings.get(key)?.rounds ?? []]));
  const isWhole = [...rounds.values()].every((its) => its.every(({ lost }) => lost === 0));
  if (!isWhole) process.exitCode = 1;
  const cpus = new Map([...rounds].map(([key, its]) => [key, its.map(({ cpu }) => cpu)]));
  const title = `${name}: ${scenario.title}${isWhole ? '' : ' INVALID, not every message was delivered once'}`;
  report(title, 'CPU µs/delivery', cpus, targets.cpu);
}

async function heaps() {
  const results = new Map(entrants.map(({ key }) => [key, []]));
  for (let round = 0; round < Number(options['heap-rounds']); round++) {
    progress(`heap: round ${String(round + 1)}   `);
    for (const entrant of inTurn(entrants, round)) {
      const bytes = await heapOf(entrant);
      progress(`${entrant.key} ${short(bytes)} B   `);
      results.get(entrant.key)?.push(bytes);
    }
    progress('\n');
  }
  const title = `${String(connections)} connections with a subscription`;
  report(title, 'heap bytes/connection', results, targets.heap);
}

async function heapOf({ file, dist }) {
  const swarm = swarmProcess();
  const server = await serverProcess(file, ['--expose-gc']);
  const { port } = await server.ask('start', { dist });
  const open = (group, count) => {
    const topics = Array.from({ length: count }, () => [topicName(0)]);
    return swarm.ask('open', { group, peer: file, port, topics, concurrency: 32 });
  };
  await open('warm-up', warmUpConnections);
  await swarm.ask('close', { group: 'warm-up' });
  const before = await server.ask('memory');
  await open('measured', connections);
  const after = await server.ask('memory');
  await swarm.end();
  await server.end();
  return (after.heapUsed - before.heapUsed) / connections;
}

/** Ratios are those of one round each, because a disturbance affects both doors of a round. */
function report(title, unit, results, max) {
  const [base = [], ours = []] = [results.get(sockets), results.get(streams)];
  const ratios = ours.map((figure, i) => figure / base[i]);
  const ratio = median(ratios);
  const range = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  const rows = entrants.map((entrant) => {
    const figures = results.get(entrant.key);
    return [entrant.title, short(median(figures)), percent(spread(figures))];
  });
  const promise = `an event stream at most ${String(max)} × a WebSocket`;
  process.stdout.write(
    `### ${title}\n\n${table(['door', `>${unit}`, '>spread'], rows)}\n\n` +
      targetLine(promise, ratio <= max, `${ratio.toFixed(2)}; of all rounds ${range}`) +
      `${unsteadyLines(entrants.map((entrant) => [entrant.title, results.get(entrant.key)]))}\n`,
  );
}
