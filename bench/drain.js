// What do clients notice when one of two instances is replaced?
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Asked, pinSelf } from './lib/asking.js';
import { knowing, plain, socketIo } from './lib/drain-clients.js';
import { drainReport } from './lib/drain-report.js';
import { environmentText } from './lib/environment.js';
import { nginxVersion, startNginx } from './lib/nginx.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { redisVersion, startRedis } from './lib/redis-server.js';
import { topicName } from './lib/scenarios.js';
import { nowMs } from './lib/shared-clock.js';
import { quantile } from './lib/statistics.js';

const help = `node bench/drain.js [options]

Stops one of two instances on Redis under load: with clients of nestjs-live, with socket.io's server
and clients (its adapter for Redis streams, its recovery), and with plain WebSocket clients. About half of the clients are on either instance.

  --clients <n>       clients (1000)
  --window <ms>       drainWindowMs (10000)
  --rate <n>          publications a second on all topics together (50)
  --topics <n>        topics; each client has one of them (20)
  --quiet <seconds>   load before the drain, to compare with (5)
  --nginx             behind nginx, which chooses the instance, with the configuration of examples/compose
  --dist <folder>     the build of nestjs-live (../dist)
`;

/** Departures a second if they do not need the whole window. [L-10.6] */
const usualPerSecond = 200;
/** Time after the last departure in which every client should be back. */
const comebackMs = 5_000;

const options = await readOptions(
  {
    ...Object.fromEntries(
      ['clients', 'window', 'rate', 'topics', 'quiet', 'dist'].map((name) => [name, undefined]),
    ),
    nginx: false,
  },
  help,
);
const clients = Number(options.clients ?? 1_000);
const windowMs = Number(options.window ?? 10_000);
const perSecond = Number(options.rate ?? 50);
const topics = Number(options.topics ?? 20);
const quietMs = Number(options.quiet ?? 5) * 1_000;
const dist = distAddress(options.dist);
/** The time over which this many clients leave. */
const spreadMsOf = ({ length }) => Math.min(windowMs, (length / usualPerSecond) * 1_000);

const version = redisVersion();
if (version === undefined) {
  process.stdout.write(
    '## One of two instances is stopped\n\nINVALID: redis-server is not installed (apt-get install redis-server).\n\n',
  );
  process.exit(1);
}
if (options.nginx && nginxVersion() === undefined) {
  process.stdout.write('INVALID: nginx is not installed (apt-get install nginx-light).\n\n');
  process.exit(1);
}
const about = environmentText();
pinSelf(1);
const { connect } = await import(`${dist}client/index.js`);
const server = new URL('lib/drain-server.js', import.meta.url);
const ours = await stopOne({
  name: 'nestjs-live',
  server,
  path: '/live',
  enter: (where, topic) => knowing(connect, where, topic),
});
const rivals = await stopOne({
  name: 'socket.io',
  server: new URL('lib/drain-server-io.js', import.meta.url),
  path: '/socket.io/',
  enter: (where, topic) => socketIo(() => new URL(where()).origin, topic),
});
const plains = await stopOne({ name: 'plain WebSocket', server, path: '/live', enter: plain });
const load = { clients, windowMs, perSecond, topics };
const where = `on Redis ${version}${options.nginx ? ', behind nginx' : ''}`;
process.stdout.write(`${drainReport({ ours, rivals, plains }, load, where, about)}\n`);
process.exit(0);

/** Connects the clients, publishes, stops one instance, and waits until everything has arrived. */
async function stopOne({ name, server, path, enter }) {
  const redis = await startRedis();
  const [leaving, staying] = [0, 1].map(
    () =>
      new Asked({
        script: server,
        args: [dist, redis.url, String(windowMs)],
        core: 0,
      }),
  );
  const [old, other] = await Promise.all([leaving, staying].map((each) => each.ask('start')));
  const nginx = options.nginx ? await startNginx([old.url, other.url], path) : undefined;
  let isDraining = false;
  const all = [];
  for (let first = 0; first < clients; first += 50) {
    const group = Array.from({ length: Math.min(50, clients - first) }, async (_, i) => {
      const isLeaving = (first + i) % 2 === 0;
      const where = () => nginx?.url ?? (isLeaving && !isDraining ? old.url : other.url);
      const topic = Math.floor((first + i) / 2) % topics;
      return Object.assign(await enter(where, topicName(topic)), { topic });
    });
    all.push(...(await Promise.all(group)));
  }
  progress(`${name}: ${String(all.length)} clients are connected\n`);
  const movers = all.filter(({ instanceId }) => instanceId === old.instanceId);
  const survivors = all.filter(({ instanceId }) => instanceId === other.instanceId);
  const takeDelays = () => survivors.flatMap(({ receipts }) => receipts.delays.splice(0));
  await staying.ask('publish', { topics, perSecond });
  await sleep(1_000);
  takeDelays();
  await sleep(quietMs);
  const quiet = takeDelays();
  progress(`${name}: one instance is stopped\n`);
  isDraining = true;
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const startMs = nowMs();
  leaving.child.kill('SIGTERM');
  const exitCode = await leaving.ended;
  const exitMs = nowMs() - startMs;
  // As long for everybody: reconnecting takes some clients seconds.
  await sleep(Math.max(0, spreadMsOf(movers) + comebackMs - exitMs));
  const drained = takeDelays();
  const published = await staying.ask('stopPublishing');
  await sleep(1_500);
  loop.disable();
  const result = {
    name,
    spreadMs: spreadMsOf(movers),
    longestMs: loop.max / 1e6,
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
    told: sum(all, ({ receipts }) => receipts.told),
    neverBack: all.filter(({ isOpen }) => isOpen?.() === false).length,
    handshakes: movers.flatMap(({ handshakesMs = [] }) => handshakesMs),
    away: movers.map(({ awayMs = Number.NaN }) => awayMs),
    closes: movers.flatMap(({ closedMs = [] }) => closedMs),
    codes: [...new Set(movers.map(({ code }) => code))],
  };
  if (enter !== plain)
    result.neverBack = Math.max(result.neverBack, clients - (await staying.ask('connections')));
  for (const client of all) client.close();
  await nginx?.stop();
  await staying.end();
  await redis.stop();
  return result;
}

function sum(some, of) {
  return some.reduce((total, each) => total + of(each), 0);
}
