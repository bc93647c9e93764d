// Does memory stay bounded with clients that never read, and do other clients notice?
import process from 'node:process';
import { entrantsOf, serverProcess, swarmProcess } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { fileIn, progress, readOptions } from './lib/options.js';
import { inOwnNetwork } from './lib/own-network.js';
import { oneRound } from './lib/round.js';
import { drawTopics } from './lib/scenarios.js';
import { quantile } from './lib/statistics.js';
import { short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/slow.js [options]

Equal numbers of clients that read and that never read, on one topic with messages of 1 KB. One run for each
policy for slow clients, and one with so few messages that no buffer ever fills. As root it runs in a private
network with small send buffers. Otherwise the kernel buffers megabytes for each client.

  --clients 1000       of each kind
  --seconds 20         of publishing to both, after a third of it to the healthy clients alone
  --rate 200           publications a second
  --policies a,b       close, skip, conflate, trickle
  --dist ../dist       the build of nestjs-live
  --profile <folder>   writes a CPU profile of the server while both are connected
`;

/** Memory relative to the budgets, and p99 relative to that without slow clients. */
const targets = { memory: 1.1, p99: 2 };
const mib = 1_048_576;
/** The defaults of nestjs-live. */
const budgets = {
  totalBytes: 256 * mib,
  perConnectionBytes: mib,
  ageMs: 10_000,
  pingMs: 25_000,
  pongMs: 10_000,
};
/** Disables pings, so that slow clients are found by their queue and not by a missing pong. */
const withoutPings = { pingIntervalMs: 1e10 };
/** Periodic checks are up to a second late, and a busy machine adds to that. */
const graceMs = 2_500;
const tickMs = 50;

const options = await readOptions(
  {
    clients: '1000',
    seconds: '20',
    rate: '200',
    policies: 'close,skip,conflate,trickle',
    dist: undefined,
    profile: undefined,
  },
  help,
);
const network = await inOwnNetwork();
const clients = Number(options.clients);
const [entrant] = await entrantsOf({ peers: 'nestjs-live', dist: options.dist });
const fast = {
  topics: 1,
  topicsPerClient: 1,
  clients,
  payload: 'fleet',
  tickMs,
  messagesPerTick: (Number(options.rate) * tickMs) / 1_000,
  ticks: Math.round((Number(options.seconds) * 1_000) / tickMs),
};
/** 1 KB a second, until every heartbeat has timed out. */
const trickle = { ...fast, tickMs: 1_000, messagesPerTick: 1, ticks: 40 };

process.stdout.write(`## Slow readers\n\n${environmentText()}\n\n`);
const results = [];
for (const policy of options.policies.split(',')) results.push(await measure(policy));
process.stdout.write(`${report()}\n`);

async function measure(policy) {
  const scenario = policy === 'trickle' ? trickle : fast;
  progress(`${policy}: starting … `);
  const server = await serverProcess(entrant.file, ['--expose-gc']);
  const topic = policy === 'trickle' ? {} : { slow: policy };
  const module = policy === 'trickle' ? {} : withoutPings;
  const { port } = await server.ask('start', { dist: entrant.dist, topic, module });
  const [healthy, slow] = [swarmProcess(), swarmProcess()];
  const open = (swarm, group, firstIndex) =>
    swarm.ask('open', {
      group,
      peer: entrant.file,
      port,
      topics: drawTopics(scenario),
      concurrency: 32,
      firstIndex,
    });
  await open(healthy, 'healthy', 0);
  const before = { ...scenario, ticks: Math.max(2, Math.round(scenario.ticks / 3)) };
  progress('healthy alone … ');
  const alone = await oneRound({ swarms: [healthy], server, group: 'healthy', scenario: before });
  await open(slow, 'slow', clients);
  await slow.ask('stopReading', { group: 'slow' });
  await server.ask('watchMemory');
  progress('with slow ones … ');
  if (options.profile !== undefined) await server.ask('startProfile');
  const together = await oneRound({ swarms: [healthy], server, group: 'healthy', scenario });
  if (options.profile !== undefined) {
    await server.ask('endProfile', { file: fileIn(options.profile, `slow-${policy}.cpuprofile`) });
  }
  const memory = await server.ask('memoryPeak');
  progress('reading again … ');
  // One more tick, since clients learn of a loss with the next publication.
  const last = { ...scenario, tickMs, ticks: 1 };
  await server.ask('run', { scenario: last });
  const published = [before, scenario, last].reduce(
    (sum, { ticks, messagesPerTick }) => sum + ticks * messagesPerTick,
    0,
  );
  const again = await slow.ask('readAgain', { group: 'slow', last: published });
  const { closes } = await server.ask('tell');
  progress(`${JSON.stringify({ ...again, closes })}\n`);
  await Promise.all([server, healthy, slow].map((each) => each.end()));
  return { policy, alone, together, memory, again, closes, scenario };
}

function report() {
  const rows = results.map(({ policy, alone, together, memory, again, closes }) => {
    const cut = Object.entries(closes).map(([code, { count }]) => `${String(count)} with ${code}`);
    return [
      lostOf(alone, together) ? `${policy}: INVALID, a healthy client missed something` : policy,
      short(quantile(alone.latenciesMs, 0.99)),
      short(quantile(together.latenciesMs, 0.99)),
      short(alone.cpu),
      short(together.cpu),
      short(memory.rss / mib),
      short(memory.peak / mib),
      short(memory.queued / mib),
      cut.join(', ') || '–',
      firstAndLast(memory, closes),
      again.accounts === 0 ? '–' : String(again.reported),
      again.accounts === 0 ? '–' : String(again.silent),
    ];
  });
  return [
    `### F: ${String(clients)} clients that read and ${String(clients)} that never do`,
    '',
    `1 topic, ${String(options.rate)} publications of 1 KB a second for ${options.seconds} s; trickle: one a second for ${String(trickle.ticks)} s.`,
    'Before it, the same for a third of the time without slow clients. Afterwards the slow clients read again. Of those',
    'still connected, one in four accounts for every offset: delivered, merged into a later one, or reported lost. Pings are off',
    `except for the trickle, where nothing else finds slow clients; ${network}.`,
    '',
    table(
      [
        'slow',
        '>p99 ms without slow',
        '>p99 ms',
        '>CPU µs/delivery to healthy without slow',
        '>with',
        '>RSS before, MiB',
        '>peak',
        '>max queued, MiB',
        'closed',
        '>first and last after, s',
        '>informed of their loss',
        '>offsets missing silently',
      ],
      rows,
    ),
    '',
    results.map(verdict).join(''),
  ].join('\n');
}

function verdict({ policy, alone, together, memory, again, closes }) {
  if (lostOf(alone, together)) process.exitCode = 1;
  const max =
    (memory.rss + Math.min(budgets.totalBytes, clients * budgets.perConnectionBytes)) * targets.memory;
  const [p99Alone, p99] = [alone, together].map(({ latenciesMs }) => quantile(latenciesMs, 0.99));
  return [
    targetLine(
      `${policy}: RSS at most a tenth above its start plus the budgets`,
      memory.peak <= max,
      `${short(memory.peak / mib)} of ${short(max / mib)} MiB`,
    ),
    targetLine(
      `${policy}: p99 of the healthy clients at most ${String(targets.p99)} × the p99 without slow clients`,
      p99 <= p99Alone * targets.p99,
      `${short(p99)} and ${short(p99Alone)} ms`,
    ),
    inTime(policy, memory, again, closes),
  ].join('');
}

/** Every slow client was cut in time or knows what it missed. */
function inTime(policy, memory, again, closes) {
  const cut = Object.values(closes).reduce((sum, { count }) => sum + count, 0);
  const lastMs = Math.max(...Object.values(closes).map((each) => each.lastMs));
  if (policy === 'trickle') {
    const maxMs = budgets.pingMs + budgets.pongMs + graceMs;
    return targetLine(
      `trickle: every slow client is cut within ${short(maxMs / 1_000)} s`,
      cut === clients && lastMs - memory.startMs <= maxMs,
      `${String(cut)} of ${String(clients)}, the last after ${short((lastMs - memory.startMs) / 1_000)} s`,
    );
  }
  if (policy === 'close') {
    const waitedMs = Math.max(...Object.values(closes).map(({ longestWaitMs }) => longestWaitMs));
    return targetLine(
      `close: every slow client is cut within ${short((budgets.ageMs + graceMs) / 1_000)} s of its first queued message`,
      cut === clients && waitedMs <= budgets.ageMs + graceMs,
      `${String(cut)} of ${String(clients)}, the last after ${short(waitedMs / 1_000)} s`,
    );
  }
  return targetLine(
    `${policy}: every slow client learns what it missed, or is cut`,
    again.silent === 0 && again.behind === 0,
    `${String(again.accounts)} accounts: ${String(again.merged)} merged, ${String(again.lost)} reported lost, ${String(again.silent)} missing, ${String(again.behind)} behind; ${String(cut)} cut`,
  );
}

function lostOf(...rounds) {
  return rounds.some(({ lost }) => lost > 0);
}

function firstAndLast({ startMs }, closes) {
  const all = Object.values(closes);
  if (all.length === 0) return '–';
  const first = Math.min(...all.map(({ firstMs }) => firstMs));
  const last = Math.max(...all.map(({ lastMs }) => lastMs));
  return `${short((first - startMs) / 1_000)}, ${short((last - startMs) / 1_000)}`;
}
