// What does it cost a server to deliver one message to one of many clients?
import process from 'node:process';
import { contest } from './lib/contest.js';
import { entrantsOf, uWebSockets } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { readOptions } from './lib/options.js';
import { merged, oneRound } from './lib/round.js';
import { drawTopics, scaled, scenarios } from './lib/scenarios.js';
import { median, quantile, spread } from './lib/statistics.js';
import { unsteadyLines, untilSteady } from './lib/steadiness.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/fan-out.js [options]

Prints, for every scenario and peer, the server's CPU time in microseconds per delivered message.

  --scenarios A,B,…    which of A, B, C, J, K, L (all)
  --peers a,b          files of bench/peers, without .js (nestjs-live, nestjs-live-native, ws-loop,
                       ws-shared, libuv, nest-ws, socket.io, uws, bun, nchan)
  --rounds 7           measured rounds of each peer in each scenario, in rotating order
  --warm-up 2          unmeasured rounds before them
  --idle 25            seconds in which the idle servers are measured before the rounds of each scenario
  --share 1            fraction of the clients and ticks, for a quick try
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured in the same run
  --profile <folder>   writes a CPU profile of each server's measured rounds, which makes them slower
`;

const baseline = 'ws-loop';

const options = await readOptions(
  {
    scenarios: 'A,B,C,J,K,L',
    peers: 'nestjs-live,nestjs-live-native,ws-loop,ws-shared,libuv,nest-ws,socket.io,uws,bun,nchan',
    rounds: '7',
    idle: '25',
    'warm-up': '2',
    share: '1',
    dist: undefined,
    compare: undefined,
    profile: undefined,
  },
  help,
);
const rounds = Number(options.rounds);
const warmUp = Number(options['warm-up']);

const entrants = await entrantsOf(options);

process.stdout.write(`## Fan-out\n\n${environmentText()}\n\n`);
let valid = true;
for (const name of options.scenarios.split(',')) {
  const scenario = scaled(scenarios[name], Number(options.share));
  const text = await untilSteady(async () => report(name, scenario, await measure(name, scenario)));
  process.stdout.write(`${text}\n`);
}
process.exitCode = valid ? 0 : 1;

/** All rounds of all peers in one scenario. */
function measure(name, scenario) {
  const passes = passesOf(scenario);
  const part = { ...scenario, ticks: scenario.ticks / passes };
  return contest({
    name,
    entrants,
    rounds,
    warmUp,
    passes,
    merge: merged,
    start: { topic: scenario.topic },
    clients: { topics: drawTopics(scenario), concurrency: 32 },
    idleSeconds: Number(options.idle),
    profile: options.profile,
    round: ({ server, swarm, group }) => oneRound({ swarms: [swarm], server, group, scenario: part }),
  });
}

/** The parts of a round: five, or as many as have whole ticks. */
function passesOf({ ticks }) {
  return [5, 4, 3, 2].find((parts) => ticks % parts === 0) ?? 1;
}

function report(name, scenario, results) {
  const { clients, messagesPerTick, topicsPerClient, topics, ticks, tickMs, topic } = scenario;
  const deliveries = ((clients * topicsPerClient * messagesPerTick) / topics) * ticks;
  const base = results.get(baseline)?.rounds;
  const rows = entrants.map(({ key, title }) => {
    const { rounds, idle } = results.get(key);
    const cpus = rounds.map(({ cpu }) => cpu);
    const ratios = base === undefined ? [] : ratiosTo(base, rounds);
    const latencies = rounds.flatMap(({ latenciesMs }) => latenciesMs);
    const lost = rounds.reduce((sum, { lost }) => sum + lost, 0);
    if (lost > 0) valid = false;
    return [
      lost > 0 ? `${title}: INVALID, not every message was delivered exactly once` : title,
      short(median(cpus)),
      percent(spread(cpus)),
      short((median(idle) * tickMs * ticks) / deliveries),
      ratios.length === 0 ? '–' : median(ratios).toFixed(3),
      ratios.length === 0 ? '–' : range(ratios),
      short(quantile(latencies, 0.5)),
      short(quantile(latencies, 0.99)),
      short(median(rounds.map(({ clientCpu }) => clientCpu))),
      short(median(rounds.map(({ bytes }) => bytes))),
      short(Math.max(...rounds.map(({ lateMs }) => lateMs))),
    ];
  });
  const features = results.get('nestjs-live')?.started.features;
  const chosen = topic === undefined ? '' : `; topic options ${JSON.stringify(topic)}`;
  return [
    `### ${name}: ${scenario.title}`,
    '',
    `${String(clients)} clients; a tick every ${String(tickMs)} ms; ${String(rounds)} rounds of ${deliveries.toLocaleString('en')} deliveries.` +
      (features === undefined ? '' : ` Enabled in nestjs-live: ${features}${chosen}.`),
    '',
    table(
      [
        'server',
        '>CPU µs/delivery',
        '>spread',
        '>idle µs',
        '>ratio',
        '>of all rounds',
        '>p50 ms',
        '>p99 ms',
        '>clients µs',
        '>bytes',
        '>latest tick ms',
      ],
      rows,
    ),
    '',
    verdict(scenario, results),
  ].join('\n');
}

/** Whether the targets are met, and which peers are better. */
function verdict({ targets, nativeTargets = {}, p99Ms }, results) {
  const ours = results.get('nestjs-live')?.rounds;
  if (ours === undefined) return '';
  const medianOf = (rounds) => median(rounds.map(({ cpu }) => cpu));
  const better = entrants.filter(({ key }) => medianOf(results.get(key).rounds) < medianOf(ours));
  const judged = [];
  const lines = better.map(({ title }) => `Better here than nestjs-live: ${title}.\n`);
  const native = entrants.find(({ key }) => key === 'nestjs-live-native');
  const promises = [
    ...Object.entries(targets).map((target) => [ours, '', ...target]),
    ...(native === undefined ? [] : Object.entries(nativeTargets)).map((target) => [
      results.get(native.key).rounds,
      'with nestjs-live-native ',
      ...target,
    ]),
  ];
  for (const [its, how, key, max] of promises) {
    const peer = entrants.find((each) => each.key === (key === 'uWebSockets' ? uWebSockets : key));
    if (peer === undefined) continue;
    const ratios = ratiosTo(results.get(peer.key).rounds, its);
    judged.push([`${how}× ${peer.title}`, ratios]);
    const ratio = median(ratios);
    const promise = `${how}at most ${String(max)} × ${peer.title}`;
    lines.push(targetLine(promise, ratio <= max, `${ratio.toFixed(3)}; of all rounds ${range(ratios)}`));
  }
  if (p99Ms !== undefined) {
    const p99 = quantile(
      ours.flatMap(({ latenciesMs }) => latenciesMs),
      0.99,
    );
    lines.push(targetLine(`p99 at most ${String(p99Ms)} ms`, p99 <= p99Ms, `${short(p99)} ms`));
  }
  return lines.join('') + unsteadyLines(judged);
}

/** Ratios per round, because a disturbance affects both peers of a round. */
function ratiosTo(base, rounds) {
  return rounds.map(({ cpu }, i) => cpu / base[i].cpu);
}

function range(ratios) {
  return `${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)}`;
}
