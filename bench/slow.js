// Clients that never read: does the server's memory hold, do the others notice, and are the slow ones told or cut?
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

As many clients that never read as clients that do, on one topic: messages of 1 KB. Once with each of the ways that a
topic may treat slow ones, and once with a topic on which so little comes that no buffer ever is full. As root it runs in a
network of its own, whose send buffers are small; elsewhere the kernel takes megabytes for each client.

  --clients 1000       of each kind
  --seconds 20         of publishing to both; a third of it before, to the healthy ones alone
  --rate 200           publications a second
  --policies a,b       close, skip, conflate, trickle
  --dist ../dist       the build of nestjs-live
  --profile <folder>   writes a CPU profile of the server while both are there
`;

/** Above the budgets, and times the p99 without slow clients. */
const targets = { memory: 1.1, p99: 2 };
const mib = 1_048_576;
/** nestjs-live's own defaults. */
const budgets = {
  totalBytes: 256 * mib,
  perConnectionBytes: mib,
  ageMs: 10_000,
  pingMs: 25_000,
  pongMs: 10_000,
};
/** Where a slow one is not to be found by its missing pong, but by what waits for it. */
const withoutPings = { pingIntervalMs: 1e10 };
/** What it looks at now and then is a second late at the most; and so is what a busy machine does. */
const graceMs = 2_500;
const tickMs = 50;

const options = readOptions(
  {
    clients: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '200' },
    policies: { type: 'string', default: 'close,skip,conflate,trickle' },
    dist: { type: 'string' },
    profile: { type: 'string' },
  },
  help,
);
const network = inOwnNetwork();
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
/** 1 KB a second, until every heartbeat has found out. */
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
  progress('who reads again … ');
  // One tick more, for who has to be told by what follows.
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
      again.accounts === 0 ? '–' : String(again.told),
      again.accounts === 0 ? '–' : String(again.silent),
    ];
  });
  return [
    `### F: ${String(clients)} clients that read and ${String(clients)} that never do`,
    '',
    `1 topic, ${String(options.rate)} publications of 1 KB a second for ${options.seconds} s; trickle: one a second for ${String(trickle.ticks)} s.`,
    'Before it the same for a third of the time without the slow ones. Afterwards the slow ones read again; of those that',
    'are still connected, one in four accounts for every offset: come, merged into a later one, or told as lost. Pings are off,',
    `except with the trickle, where nothing else finds them; ${network}.`,
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
        '>queued at most, MiB',
        'closed',
        '>first and last after, s',
        '>told what they lost',
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
  const most =
    (memory.rss + Math.min(budgets.totalBytes, clients * budgets.perConnectionBytes)) * targets.memory;
  const [p99Alone, p99] = [alone, together].map(({ latenciesMs }) => quantile(latenciesMs, 0.99));
  return [
    targetLine(
      `${policy}: RSS at most the budgets and a tenth above what it was`,
      memory.peak <= most,
      `${short(memory.peak / mib)} of ${short(most / mib)} MiB`,
    ),
    targetLine(
      `${policy}: p99 of the healthy at most ${String(targets.p99)} × that without slow ones`,
      p99 <= p99Alone * targets.p99,
      `${short(p99)} and ${short(p99Alone)} ms`,
    ),
    inTime(policy, memory, again, closes),
  ].join('');
}

/** Every slow one has been cut in time, or knows what it missed. */
function inTime(policy, memory, again, closes) {
  const cut = Object.values(closes).reduce((sum, { count }) => sum + count, 0);
  const lastMs = Math.max(...Object.values(closes).map((each) => each.lastMs));
  if (policy === 'trickle') {
    const maxMs = budgets.pingMs + budgets.pongMs + graceMs;
    return targetLine(
      `trickle: every slow one is cut within ${short(maxMs / 1_000)} s`,
      cut === clients && lastMs - memory.startMs <= maxMs,
      `${String(cut)} of ${String(clients)}, the last after ${short((lastMs - memory.startMs) / 1_000)} s`,
    );
  }
  if (policy === 'close') {
    const waitedMs = Math.max(...Object.values(closes).map(({ longestWaitMs }) => longestWaitMs));
    return targetLine(
      `close: every slow one is cut within ${short((budgets.ageMs + graceMs) / 1_000)} s of the first message that waited for it`,
      cut === clients && waitedMs <= budgets.ageMs + graceMs,
      `${String(cut)} of ${String(clients)}, the last after ${short(waitedMs / 1_000)} s`,
    );
  }
  return targetLine(
    `${policy}: every slow one is told what it has missed, or cut`,
    again.silent === 0 && again.behind === 0,
    `${String(again.accounts)} accounts: ${String(again.merged)} merged, ${String(again.lost)} told as lost, ${String(again.silent)} missing, ${String(again.behind)} behind; ${String(cut)} cut`,
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
