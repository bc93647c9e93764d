// Does a crowd that connects at once stall a server, or delay those who are already connected?
import process from 'node:process';
import { entrantsOf, inTurn, serverProcess, swarmProcess } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { fileIn, progress, readOptions } from './lib/options.js';
import { drawTopics } from './lib/scenarios.js';
import { median, quantile } from './lib/statistics.js';
import { short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/crowd.js [options]

Clients are subscribed to a topic with a publication every 20 ms. Then a crowd connects at once, with one
subscription each to another topic. Prints, for every peer, how long the event loop stalled, and how late the
publications reached the clients: quiet, and while the crowd connects.

  --crowd 10000        clients that connect at once
  --clients 100        clients that are connected before
  --rounds 3           each with new processes
  --peers a,b          files of bench/peers, without .js (nestjs-live, ws-bare+0, socket.io)
  --dist ../dist       the build of nestjs-live
  --compare <folder>   another build of nestjs-live, measured in the same run
  --profile <folder>   writes a CPU profile of each server while the crowd connects
`;

/** Milliseconds of the event loop's p99, and the delivery's p99 relative to the quiet one. */
const targets = { loopMs: 100, delivery: 2 };
/**
 * Handshakes in flight. The clients are one process: it would open more sockets before it writes
 * the first request, and the server drops the oldest of 4,096 that are silent.
 */
const inFlight = 3_000;
/** The quiet measurement. */
const quietMs = 3_000;
const tickMs = 20;

const options = await readOptions(
  {
    crowd: '10000',
    clients: '100',
    rounds: '3',
    peers: 'nestjs-live,socket.io',
    dist: undefined,
    compare: undefined,
    profile: undefined,
  },
  help,
);
const crowd = Number(options.crowd);
const clients = Number(options.clients);
const rounds = Number(options.rounds);
const entrants = await entrantsOf(options);

process.stdout.write(`## A crowd\n\n${environmentText()}\n\n`);
const results = new Map(entrants.map((entrant) => [entrant, []]));
for (let round = 0; round < rounds; round++) {
  progress(`crowd: round ${String(round + 1)}   `);
  for (const entrant of inTurn(entrants, round)) {
    const result = await oneRound(entrant);
    progress(`${entrant.key} ${short(result.loopMs)} ms   `);
    results.get(entrant).push(result);
  }
  progress('\n');
}
process.stdout.write(`${report()}\n`);

async function oneRound({ key, file, dist }) {
  const healthy = swarmProcess();
  const many = swarmProcess();
  const server = await serverProcess(file);
  const { port } = await server.ask('start', { dist });
  const scenario = { topics: 1, topicsPerClient: 1, messagesPerTick: 1, clients, tickMs };
  await healthy.ask('open', {
    group: 'healthy',
    peer: file,
    port,
    topics: drawTopics(scenario),
    concurrency: 16,
  });
  const connecting = (group, count, firstIndex) => {
    const topics = Array.from({ length: count }, () => ['bench/1']);
    return many.ask('open', {
      group,
      peer: file,
      port,
      topics,
      concurrency: Math.min(count, inFlight),
      firstIndex,
    });
  };
  // V8 compiles the accept path.
  await connecting('warm-up', Math.min(crowd, 3_000), 100_000);
  await many.ask('close', { group: 'warm-up' });
  const publishing = async (ms, during = () => undefined) => {
    await healthy.ask('begin', { group: 'healthy' });
    const ticks = Math.ceil(ms / tickMs);
    await server.ask('watchLoop');
    const running = server.ask('run', { scenario: { ...scenario, ticks } });
    const about = await during();
    const { latestMs } = await running;
    const loop = await server.ask('standstill');
    const { latenciesMs, wrongClients } = await healthy.ask('finish', { group: 'healthy', perClient: ticks });
    return { loop, about, wrongClients, latestMs, p99: quantile(latenciesMs, 0.99) };
  };
  const quiet = await publishing(quietMs);
  if (options.profile !== undefined) await server.ask('startProfile');
  const busy = await publishing(crowd * 0.8, () => connecting('crowd', crowd, 200_000));
  if (options.profile !== undefined)
    await server.ask('endProfile', { file: fileIn(options.profile, `${key}.cpuprofile`) });
  await server.end();
  await healthy.end();
  await many.end();
  return {
    loopMs: busy.loop.p99Ms,
    longestMs: busy.loop.longestMs,
    quietP99: quiet.p99,
    busyP99: busy.p99,
    latestMs: busy.latestMs,
    seconds: busy.about.ms / 1_000,
    wrong: busy.wrongClients + quiet.wrongClients,
  };
}

function report() {
  const of = (entrant, figure) => results.get(entrant).map((round) => round[figure]);
  const ratio = (entrant) => median(results.get(entrant).map(({ busyP99, quietP99 }) => busyP99 / quietP99));
  const rows = entrants.map((entrant) => {
    if (of(entrant, 'wrong').some((count) => count > 0)) process.exitCode = 1;
    return [
      entrant.title,
      short(median(of(entrant, 'seconds'))),
      short(median(of(entrant, 'loopMs'))),
      short(median(of(entrant, 'longestMs'))),
      short(median(of(entrant, 'latestMs'))),
      short(median(of(entrant, 'quietP99'))),
      short(median(of(entrant, 'busyP99'))),
      ratio(entrant).toFixed(2),
      String(Math.max(...of(entrant, 'wrong'))),
    ];
  });
  const lines = entrants
    .filter(({ file }) => file.startsWith('nestjs-live'))
    .flatMap((entrant) => [
      targetLine(
        `p99 of the event loop below ${String(targets.loopMs)} ms, ${entrant.title}`,
        median(of(entrant, 'loopMs')) < targets.loopMs,
        `${short(median(of(entrant, 'loopMs')))} ms`,
      ),
      targetLine(
        `p99 of deliveries at most ${String(targets.delivery)} × quiet, ${entrant.title}`,
        ratio(entrant) <= targets.delivery,
        ratio(entrant).toFixed(2),
      ),
    ]);
  return [
    `${String(crowd)} clients connect at once, ${String(clients)} others read a publication every ${String(tickMs)} ms; ${String(rounds)} rounds.`,
    '',
    table(
      [
        'server',
        '>all connected, s',
        '>loop p99 ms',
        '>longest',
        '>latest publication',
        '>delivery p99 quiet',
        '>with the crowd',
        '>ratio',
        '>not served whole',
      ],
      rows,
    ),
    '',
    'A delivery is timed from its publication, which begins late if the event loop is blocked: see the latest one.',
    '',
    ...lines,
  ].join('\n');
}
