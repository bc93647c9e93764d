// What does it cost a server to deliver one message to one of many clients?
import process from 'node:process';
import { entrantsOf, inTurn, serverProcess, swarmProcess, uWebSockets } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { fileIn, progress, readOptions } from './lib/options.js';
import { oneRound } from './lib/round.js';
import { drawTopics, scaled, scenarios } from './lib/scenarios.js';
import { median, quantile, spread } from './lib/statistics.js';
import { percent, short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/fan-out.js [options]

Prints, for every scenario and peer, the server's CPU time in microseconds per delivered message.

  --scenarios A,B,C,J  which scenarios
  --peers a,b          files of bench/peers, without .js (nestjs-live, ws-loop, ws-shared, libuv, nest-ws, socket.io, uws, bun)
  --rounds 5           measured rounds of each peer in each scenario, in rotating order
  --warm-up 4          unmeasured rounds before them
  --share 1            fraction of the clients and ticks, for a quick try
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured in the same run
  --profile <folder>   writes a CPU profile of each server's measured rounds, which makes them slower
`;

const baseline = 'ws-loop';

const options = readOptions(
  {
    scenarios: { type: 'string', default: 'A,B,C,J' },
    peers: {
      type: 'string',
      default: `nestjs-live,ws-loop,ws-shared,libuv,nest-ws,socket.io,${uWebSockets === 'uws' ? 'uws,' : ''}bun`,
    },
    rounds: { type: 'string', default: '5' },
    'warm-up': { type: 'string', default: '4' },
    share: { type: 'string', default: '1' },
    dist: { type: 'string' },
    compare: { type: 'string' },
    profile: { type: 'string' },
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
  const results = await measure(name, scenario);
  process.stdout.write(`${report(name, scenario, results)}\n`);
}
process.exitCode = valid ? 0 : 1;

/** All rounds of all peers in one scenario. */
async function measure(name, scenario) {
  const swarm = swarmProcess();
  const topics = drawTopics(scenario);
  const results = new Map();
  const servers = new Map();
  for (const { key, file, dist } of entrants) {
    progress(`${name}: starting ${key} … `);
    const server = await serverProcess(file);
    const { port, features } = await server.ask('start', { dist, topic: scenario.topic });
    await swarm.ask('open', { group: key, peer: file, port, topics, concurrency: 32 });
    servers.set(key, server);
    results.set(key, { features, rounds: [] });
  }
  for (let round = -warmUp; round < rounds; round++) {
    if (round === 0) await startProfiles(servers);
    progress(round < 0 ? `\n${name}: warm-up   ` : `\n${name}: round ${String(round + 1)}   `);
    for (const { key } of inTurn(entrants, round + warmUp)) {
      const result = await oneRound({ swarms: [swarm], server: servers.get(key), group: key, scenario });
      progress(`${key} ${short(result.cpu)}   `);
      if (round >= 0) results.get(key).rounds.push(result);
    }
  }
  progress('\n');
  await endProfiles(name, servers);
  await Promise.all([...servers.values()].map((server) => server.end()));
  await swarm.end();
  return results;
}

function report(name, scenario, results) {
  const base = results.get(baseline)?.rounds;
  const rows = entrants.map(({ key, title }) => {
    const { rounds } = results.get(key);
    const cpus = rounds.map(({ cpu }) => cpu);
    const ratios = base === undefined ? [] : ratiosTo(base, rounds);
    const latencies = rounds.flatMap(({ latenciesMs }) => latenciesMs);
    const lost = rounds.reduce((sum, { lost }) => sum + lost, 0);
    if (lost > 0) valid = false;
    return [
      lost > 0 ? `${title}: INVALID, not every message was delivered exactly once` : title,
      short(median(cpus)),
      percent(spread(cpus)),
      ratios.length === 0 ? '–' : median(ratios).toFixed(3),
      ratios.length === 0 ? '–' : range(ratios),
      short(quantile(latencies, 0.5)),
      short(quantile(latencies, 0.99)),
      short(median(rounds.map(({ clientCpu }) => clientCpu))),
      short(median(rounds.map(({ bytes }) => bytes))),
      short(Math.max(...rounds.map(({ lateMs }) => lateMs))),
    ];
  });
  const { clients, messagesPerTick, topicsPerClient, topics, ticks, tickMs, topic } = scenario;
  const deliveries = ((clients * topicsPerClient * messagesPerTick) / topics) * ticks;
  const features = results.get('nestjs-live')?.features;
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
function verdict({ targets, p99Ms }, results) {
  const ours = results.get('nestjs-live')?.rounds;
  if (ours === undefined) return '';
  const medianOf = (rounds) => median(rounds.map(({ cpu }) => cpu));
  const better = entrants.filter(({ key }) => medianOf(results.get(key).rounds) < medianOf(ours));
  const lines = better.map(({ title }) => `Better here than nestjs-live: ${title}.\n`);
  for (const [key, max] of Object.entries(targets)) {
    const peer = entrants.find((each) => each.key === (key === 'uWebSockets' ? uWebSockets : key));
    if (peer === undefined) continue;
    const ratios = ratiosTo(results.get(peer.key).rounds, ours);
    const ratio = median(ratios);
    const promise = `at most ${max.toFixed(2)} × ${peer.title}`;
    lines.push(targetLine(promise, ratio <= max, `${ratio.toFixed(3)}; of all rounds ${range(ratios)}`));
  }
  if (p99Ms !== undefined) {
    const p99 = quantile(
      ours.flatMap(({ latenciesMs }) => latenciesMs),
      0.99,
    );
    lines.push(targetLine(`p99 at most ${String(p99Ms)} ms`, p99 <= p99Ms, `${short(p99)} ms`));
  }
  return lines.join('');
}

/** Ratios per round, because a disturbance affects both peers of a round. */
function ratiosTo(base, rounds) {
  return rounds.map(({ cpu }, i) => cpu / base[i].cpu);
}

function range(ratios) {
  return `${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)}`;
}

async function startProfiles(servers) {
  if (options.profile === undefined) return;
  for (const [key, server] of servers) if (key !== 'bun') await server.ask('startProfile');
}

async function endProfiles(scenario, servers) {
  if (options.profile === undefined) return;
  for (const [key, server] of servers) {
    if (key === 'bun') continue;
    const file = fileIn(options.profile, `${scenario}-${key.replaceAll(/\W/g, '-')}.cpuprofile`);
    await server.ask('endProfile', { file });
    progress(`${file}\n`);
  }
}
