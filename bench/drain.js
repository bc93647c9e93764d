// What do clients notice when one of two instances is replaced?
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Asked } from './lib/asking.js';
import { knowing, plain } from './lib/drain-clients.js';
import { environmentText } from './lib/environment.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { redisVersion, startRedis } from './lib/redis-server.js';
import { topicName } from './lib/scenarios.js';
import { nowMs } from './lib/shared-clock.js';
import { quantile } from './lib/statistics.js';
import { short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/drain.js [options]

Stops one of two instances on Redis under load, once with clients of nestjs-live and once with plain
WebSocket clients. Half of the clients are on either instance.

  --clients <n>       clients (1000)
  --window <ms>       drainWindowMs (10000)
  --rate <n>          publications a second on all topics together (50)
  --topics <n>        topics; each client has one of them (20)
  --quiet <seconds>   load before the drain, to compare with (5)
  --dist <folder>     the build of nestjs-live (../dist)
`;

/** Departures a second if they do not need the whole window. [L-10.6] */
const usualPerSecond = 200;
const targets = { evenness: 1.15, awayMs: 50, delivery: 2, exitMs: 2_000 };

const options = readOptions(
  Object.fromEntries(
    ['clients', 'window', 'rate', 'topics', 'quiet', 'dist'].map((name) => [name, { type: 'string' }]),
  ),
  help,
);
const clients = Number(options.clients ?? 1_000);
const windowMs = Number(options.window ?? 10_000);
const perSecond = Number(options.rate ?? 50);
const topics = Number(options.topics ?? 20);
const quietMs = Number(options.quiet ?? 5) * 1_000;
const dist = distAddress(options.dist);
/** The time over which the departures of half of the clients are spread. */
const spreadMs = Math.min(windowMs, (clients / 2 / usualPerSecond) * 1_000);
const leavingPerSecond = clients / 2 / (spreadMs / 1_000);

const version = redisVersion();
if (version === undefined) {
  process.stdout.write(
    '## One of two instances is stopped\n\nINVALID: redis-server is not installed (apt-get install redis-server).\n\n',
  );
  process.exit(1);
}
const about = environmentText();
const { connect } = await import(`${dist}client/index.js`);
const ours = await stopOne('nestjs-live', (where, topic) => knowing(connect, where, topic));
const plains = await stopOne('plain WebSocket', plain);
process.stdout.write(`${report()}\n`);
process.exit(0);

/** Connects the clients, publishes, stops one instance, and waits until everything has arrived. */
async function stopOne(name, enter) {
  const redis = await startRedis();
  const [leaving, staying] = [0, 1].map(
    () =>
      new Asked({
        script: new URL('lib/drain-server.js', import.meta.url),
        args: [dist, redis.url, String(windowMs)],
        core: 0,
      }),
  );
  const [old, other] = await Promise.all([leaving, staying].map((server) => server.ask('start')));
  let isDraining = false;
  const all = [];
  for (let first = 0; first < clients; first += 50) {
    const group = Array.from({ length: Math.min(50, clients - first) }, async (_, i) => {
      const isLeaving = (first + i) % 2 === 0;
      const where = () => (isLeaving && !isDraining ? old.url : other.url);
      const client = await enter(where, topicName(Math.floor((first + i) / 2) % topics));
      return Object.assign(client, { leaving: isLeaving, topic: Math.floor((first + i) / 2) % topics });
    });
    all.push(...(await Promise.all(group)));
  }
  progress(`${name}: ${String(all.length)} clients are connected\n`);
  const movers = all.filter(({ leaving: isLeaving }) => isLeaving);
  const survivors = all.filter((client) => !movers.includes(client));
  const takeDelays = () => survivors.flatMap(({ receipts }) => receipts.delays.splice(0));
  await staying.ask('publish', { topics, perSecond });
  await sleep(1_000);
  takeDelays();
  await sleep(quietMs);
  const quiet = takeDelays();
  progress(`${name}: one instance is stopped\n`);
  isDraining = true;
  const startMs = nowMs();
  leaving.child.kill('SIGTERM');
  const exitCode = await leaving.ended;
  const exitMs = nowMs() - startMs;
  const drained = takeDelays();
  const published = await staying.ask('stopPublishing');
  await sleep(1_500);
  const result = {
    movers,
    startMs,
    exitCode,
    exitMs,
    quietP99: quantile(quiet, 0.99),
    drainP99: quantile(drained, 0.99),
    published: published.reduce((sum, count) => sum + count, 0),
    lost: sum(all, ({ topic, receipts }) => published[topic] - receipts.seen.size),
    lostSurvivors: sum(survivors, ({ topic, receipts }) => published[topic] - receipts.seen.size),
    twice: sum(all, ({ receipts }) => receipts.twice),
    reordered: sum(all, ({ receipts }) => receipts.reordered),
    neverBack: 0,
    handshakes: movers.flatMap(({ handshakesMs = [] }) => handshakesMs),
    away: movers.map(({ awayMs = Number.NaN }) => awayMs),
    closes: movers.flatMap(({ closedMs = [] }) => closedMs),
    codes: [...new Set(movers.map(({ code }) => code))],
  };
  if (name === 'nestjs-live') {
    const here = await staying.ask('connections');
    result.neverBack = Math.max(clients - here, all.filter((client) => !client.isOpen()).length);
  }
  for (const client of all) client.close();
  await staying.end();
  await redis.stop();
  return result;
}

function sum(some, of) {
  return some.reduce((total, each) => total + of(each), 0);
}

/** Events in each second since the first. */
function perBucket(timesMs) {
  const first = Math.min(...timesMs);
  const buckets = Array.from({ length: Math.ceil(spreadMs / 1_000) }, () => 0);
  for (const atMs of timesMs) {
    const place = Math.floor((atMs - first) / 1_000);
    buckets[place] = (buckets[place] ?? 0) + 1;
  }
  return Array.from(buckets, (count = 0) => count);
}

function report() {
  const moved = String(ours.movers.length);
  const evenness = (buckets) => Math.max(...buckets) / leavingPerSecond;
  const handshakes = perBucket(ours.handshakes);
  const closes = perBucket(plains.closes);
  const rows = [ours, plains].map((result) => [
    result === ours ? 'nestjs-live' : 'plain WebSocket',
    result === ours ? String(ours.lost) : `${String(plains.lostSurvivors)} (survivors)`,
    String(result.twice),
    String(result.reordered),
    result === ours ? String(ours.neverBack) : '–',
    String(result.handshakes.length),
    short(evenness(result === ours ? handshakes : closes)),
    short(quantile(result.away, 0.99)),
    short(result.quietP99),
    short(result.drainP99),
    short(result.exitMs / 1_000),
    String(result.exitCode),
  ]);
  const head = [
    'clients',
    '>lost',
    '>twice',
    '>reordered',
    '>never back',
    '>handshakes',
    '>busiest second ÷ even',
    '>away p99, ms',
    '>delivery p99 quiet, ms',
    '>in the drain',
    '>exit after, s',
    '>code',
  ];
  const none = ours.lost + ours.twice + ours.reordered + ours.neverBack === 0;
  const away = quantile(ours.away, 0.99);
  const ratio = ours.drainP99 / ours.quietP99;
  const overMs = ours.exitMs - spreadMs;
  const even = (what, buckets) =>
    targetLine(
      `${what} in the busiest second at most ${String(targets.evenness)} × ${short(leavingPerSecond)}`,
      buckets.length > 0 && evenness(buckets) <= targets.evenness,
      short(evenness(buckets)),
    );
  return [
    `## One of two instances is stopped`,
    '',
    `${String(clients)} clients on two instances on Redis ${version}, half on either. One is stopped under ${String(perSecond)} publications a second on ${String(topics)} topics; each client has one topic. ${moved} clients leave over ${short(spreadMs / 1_000)} s, with a window of ${short(windowMs / 1_000)} s.`,
    '',
    about,
    '',
    table(head, rows),
    '',
    `Handshakes of nestjs-live in each second: ${handshakes.join(' ')}. Closes of plain clients: ${closes.join(' ')}, with ${plains.codes.join(', ')}. Publications: ${String(ours.published)} and ${String(plains.published)}.`,
    '',
    [
      targetLine(
        'nothing is lost, twice or reordered, and every client is back',
        none,
        [ours.lost, ours.twice, ours.reordered, ours.neverBack].join(', '),
      ),
      even('handshakes', handshakes),
      targetLine(
        `p99 without a connection at most ${String(targets.awayMs)} ms`,
        away <= targets.awayMs,
        `${short(away)} ms`,
      ),
      targetLine(
        `survivors' delivery p99 at most ${String(targets.delivery)} × quiet`,
        ratio <= targets.delivery,
        short(ratio),
      ),
      targetLine(
        `exit 0 at most ${String(targets.exitMs / 1_000)} s after the last slot begins`,
        ours.exitCode === 0 && overMs <= targets.exitMs,
        `${short(overMs / 1_000)} s, code ${String(ours.exitCode)}`,
      ),
      even('closes of plain clients', closes),
    ].join(''),
  ].join('\n');
}
