// How much work is it for a server to deliver one message to one of many clients?
import process from 'node:process';
import { Asked } from './lib/asking.js';
import { environmentText } from './lib/environment.js';
import { distAddress, fileIn, progress, readOptions } from './lib/options.js';
import { drawTopics, expectedPerClient, scaled, scenarios } from './lib/scenarios.js';
import { median, quantile, spread } from './lib/statistics.js';
import { percent, short, table } from './lib/table.js';
import { loadPeer } from './peers/peer.js';

const help = `node bench/fan-out.js [options]

Prints, for every scenario and peer, the server's CPU time in microseconds per delivered message.

  --scenarios A,B,C    which scenarios
  --peers a,b          files of bench/peers, without .js (nestjs-live, ws-loop, ws-shared, socket.io)
  --rounds 7           measured rounds of each peer in each scenario; their order turns from round to round
  --warm-up 4          rounds before them that do not count
  --share 1            share of the clients and ticks, for trying it out
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured beside it in the same run
  --profile <folder>   writes a CPU profile of every server's measured rounds (which then cost more)
`;

const baseline = 'ws-loop';
/** What CONTRIBUTING promises: ratios to the baseline in the same run. */
const targets = { A: 0.8, B: 0.15, C: 0.15 };

const options = readOptions(
  {
    scenarios: { type: 'string', default: 'A,B,C' },
    peers: { type: 'string', default: 'nestjs-live,ws-loop,ws-shared,socket.io' },
    rounds: { type: 'string', default: '7' },
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

/** @typedef {{ cpu: number, userShare: number, clientCpu: number, bytes: number, latenciesMs: number[], lateMs: number, lost: number }} Round */

const entrants = await Promise.all(
  options.peers.split(',').map(async (file) => ({
    key: file,
    file,
    dist: distAddress(options.dist),
    title: (await loadPeer(file)).title,
  })),
);
if (options.compare !== undefined) {
  entrants.push({
    key: 'other build',
    file: 'nestjs-live',
    dist: distAddress(options.compare),
    title: 'nestjs-live, other build',
  });
}

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
  const swarm = new Asked({ script: new URL('lib/swarm-process.js', import.meta.url), core: 1 });
  const topics = drawTopics(scenario);
  const results = new Map();
  const servers = new Map();
  for (const { key, file, dist } of entrants) {
    progress(`${name}: starting ${key} … `);
    const server = new Asked({
      script: new URL('lib/server-process.js', import.meta.url),
      args: [file],
      core: 0,
    });
    const { port, features } = await server.ask('start', { dist });
    await swarm.ask('open', { group: key, peer: file, port, topics, concurrency: 32 });
    servers.set(key, server);
    results.set(key, { features, rounds: [] });
  }
  for (let round = -warmUp; round < rounds; round++) {
    if (round === 0) await startProfiles(servers);
    progress(round < 0 ? `\n${name}: warm-up   ` : `\n${name}: round ${String(round + 1)}   `);
    for (const { key } of inTurn(round + warmUp)) {
      const result = await oneRound(swarm, servers.get(key), key, scenario);
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

/** @returns {Promise<Round>} */
async function oneRound(swarm, server, group, scenario) {
  await swarm.ask('begin', { group });
  const { latestMs } = await server.ask('run', { scenario });
  const got = await swarm.ask('finish', { group, perClient: expectedPerClient(scenario) });
  const { cpuMicros, userMicros } = await server.ask('cost');
  return {
    cpu: cpuMicros / got.delivered,
    userShare: userMicros / cpuMicros,
    clientCpu: got.cpuMicros / got.delivered,
    bytes: got.bytes / got.delivered,
    latenciesMs: got.latenciesMs,
    lateMs: latestMs,
    lost: Math.max(got.wrongClients, Math.abs(got.expected - got.delivered)),
  };
}

/** Nobody always comes after the same one, nor always first: the order turns, and every other time it is reversed. */
function inTurn(round) {
  const turn = round % entrants.length;
  const turned = [...entrants.slice(turn), ...entrants.slice(0, turn)];
  return round % 2 === 0 ? turned : turned.toReversed();
}

function report(name, scenario, results) {
  const base = results.get(baseline)?.rounds;
  const rows = entrants.map(({ key, title }) => {
    const { rounds } = results.get(key);
    const cpus = rounds.map(({ cpu }) => cpu);
    const ratios = base?.map(({ cpu }, i) => rounds[i].cpu / cpu) ?? [];
    const latencies = rounds.flatMap(({ latenciesMs }) => latenciesMs);
    const lost = rounds.reduce((sum, { lost }) => sum + lost, 0);
    if (lost > 0) valid = false;
    return [
      lost > 0 ? `${title}: INVALID, not all was delivered once` : title,
      short(median(cpus)),
      percent(spread(cpus)),
      ratios.length === 0 ? '–' : median(ratios).toFixed(3),
      ratios.length === 0 ? '–' : `${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)}`,
      short(quantile(latencies, 0.5)),
      short(quantile(latencies, 0.99)),
      short(median(rounds.map(({ clientCpu }) => clientCpu))),
      short(median(rounds.map(({ bytes }) => bytes))),
      short(Math.max(...rounds.map(({ lateMs }) => lateMs))),
    ];
  });
  const { clients, messagesPerTick, topicsPerClient, topics, ticks, tickMs } = scenario;
  const deliveries = ((clients * topicsPerClient * messagesPerTick) / topics) * ticks;
  const features = results.get('nestjs-live')?.features;
  return [
    `### ${name}: ${scenario.title}`,
    '',
    `${String(clients)} clients; a tick every ${String(tickMs)} ms; ${String(rounds)} rounds of ${deliveries.toLocaleString('en')} deliveries.` +
      (features === undefined ? '' : ` On in nestjs-live: ${features}.`),
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
    verdict(name, results),
  ].join('\n');
}

/** Whether the target is met, and who is better than we are. */
function verdict(name, results) {
  const ours = results.get('nestjs-live')?.rounds;
  if (ours === undefined) return '';
  const medianOf = (rounds) => median(rounds.map(({ cpu }) => cpu));
  const better = entrants.filter(({ key }) => medianOf(results.get(key).rounds) < medianOf(ours));
  const lines = better.map(({ title }) => `Better here than nestjs-live: ${title}.\n`);
  const base = results.get(baseline)?.rounds;
  if (base !== undefined) {
    const ratio = median(base.map(({ cpu }, i) => ours[i].cpu / cpu));
    const met = ratio <= targets[name] ? 'met' : 'MISSED';
    lines.push(
      `Target: at most ${String(targets[name])} × the loop that stringifies per client: ${met} (${ratio.toFixed(3)}).\n`,
    );
  }
  return lines.join('');
}

async function startProfiles(servers) {
  if (options.profile === undefined) return;
  for (const server of servers.values()) await server.ask('startProfile');
}

async function endProfiles(scenario, servers) {
  if (options.profile === undefined) return;
  for (const [key, server] of servers) {
    const file = fileIn(options.profile, `${scenario}-${key.replaceAll(/\W/g, '-')}.cpuprofile`);
    await server.ask('endProfile', { file });
    progress(`${file}\n`);
  }
}
