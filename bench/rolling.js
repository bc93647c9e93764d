// What do clients notice of a rolling restart?
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Asked, pinSelf } from './lib/asking.js';
import { knowing } from './lib/drain-clients.js';
import { environmentText } from './lib/environment.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { redisVersion, startRedis } from './lib/redis-server.js';
import { topicName } from './lib/scenarios.js';
import { quantile } from './lib/statistics.js';
import { short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/rolling.js [options]

Replaces each of three instances on Redis in turn, under load: the new one starts before the old one
is stopped. A fourth instance without clients publishes.

  --clients <n>     clients (1000)
  --rounds <n>      restarts of each instance (2)
  --window <ms>     drainWindowMs (10000)
  --rate <n>        publications a second on all topics together (50)
  --topics <n>      topics; each client has one of them (20)
  --dist <folder>   the build of nestjs-live (../dist)
`;

const options = await readOptions(
  Object.fromEntries(
    ['clients', 'rounds', 'window', 'rate', 'topics', 'dist'].map((name) => [name, undefined]),
  ),
  help,
);
const clients = Number(options.clients ?? 1_000);
const rounds = Number(options.rounds ?? 2);
const windowMs = Number(options.window ?? 10_000);
const perSecond = Number(options.rate ?? 50);
const topics = Number(options.topics ?? 20);
const dist = distAddress(options.dist);
/** For what is in flight when an old instance has ended. */
const settleMs = 1_000;

const version = redisVersion();
if (version === undefined) {
  process.stdout.write(
    '## A rolling restart\n\nINVALID: redis-server is not installed (apt-get install redis-server).\n\n',
  );
  process.exit(1);
}
const about = environmentText();
pinSelf(1);
const { connect } = await import(`${dist}client/index.js`);
const redis = await startRedis();
const publisher = await startInstance();
/** The instances that accept connections. */
const open = await Promise.all([startInstance(), startInstance(), startInstance()]);
let turn = 0;
const where = () => open[turn++ % open.length].url;

const all = [];
for (let first = 0; first < clients; first += 50) {
  const group = Array.from({ length: Math.min(50, clients - first) }, async (_, i) => {
    const topic = (first + i) % topics;
    return Object.assign(await knowing(connect, where, topicName(topic)), { topic });
  });
  all.push(...(await Promise.all(group)));
}
progress(`${String(all.length)} clients are connected\n`);
await publisher.server.ask('publish', { topics, perSecond });
await sleep(settleMs);

const restarts = [];
for (let i = 0; i < rounds * 3; i++) restarts.push(await restart(i + 1));

const published = await publisher.server.ask('stopPublishing');
await sleep(settleMs);
const sum = (of) => all.reduce((total, client) => total + of(client), 0);
const lost = sum(({ topic, receipts }) => published[topic] - receipts.seen.size);
const wrong = sum(({ receipts }) => receipts.twice + receipts.reordered);
const told = sum(({ receipts }) => receipts.told);
const neverBack = all.filter((client) => !client.isOpen()).length;
process.stdout.write(`${report()}\n`);
for (const client of all) client.close();
await Promise.all([publisher, ...open].map(({ server }) => server.end()));
await redis.stop();
process.exit(0);

async function startInstance() {
  const server = new Asked({
    script: new URL('lib/drain-server.js', import.meta.url),
    args: [dist, redis.url, String(windowMs)],
    core: 0,
  });
  const { url } = await server.ask('start');
  return { server, url };
}

/** Replaces the oldest instance. */
async function restart(number) {
  for (const client of all) {
    client.handshakesMs.length = 0;
    client.awayMs = 0;
  }
  const started = await startInstance();
  const old = open.shift();
  open.push(started);
  const leaving = await old.server.ask('connections');
  old.server.child.kill('SIGTERM');
  const code = await old.server.ended;
  await sleep(settleMs);
  const handshakes = all.map(({ handshakesMs }) => handshakesMs.length);
  progress(`restart ${String(number)}: ${String(leaving)} clients left\n`);
  return {
    leaving,
    code,
    handshakes: handshakes.reduce((one, other) => one + other, 0),
    most: Math.max(...handshakes),
    away: quantile(
      all.map(({ awayMs }) => awayMs),
      0.99,
    ),
    longest: Math.max(...all.map(({ awayMs }) => awayMs)),
  };
}

function report() {
  const head = [
    '>restart',
    '>clients that leave',
    '>handshakes',
    '>most of one client',
    '>away p99, ms',
    '>longest',
    '>exit',
  ];
  const rows = restarts.map(({ leaving, handshakes, most, away, longest, code }, i) =>
    [i + 1, leaving, handshakes, most, short(away), short(longest), code].map(String),
  );
  const most = Math.max(...restarts.map((each) => each.most));
  return [
    '## A rolling restart',
    '',
    `${String(clients)} clients on three instances on Redis ${version}; each is replaced ${String(rounds)} times under ${String(perSecond)} publications a second on ${String(topics)} topics, with a window of ${short(windowMs / 1_000)} s.`,
    '',
    about,
    '',
    table(head, rows),
    '',
    [
      targetLine(
        'nothing is lost, twice or reordered, and every client is back',
        lost + wrong + neverBack === 0,
        [lost, wrong, neverBack].join(', '),
      ),
      targetLine('no client starts afresh', told === 0, String(told)),
      targetLine('at most one handshake of a client and restart', most <= 1, String(most)),
    ].join(''),
  ].join('\n');
}
