// What does publishing through Redis cost, compared with the minimum written by hand?
import process from 'node:process';
import { Asked } from './lib/asking.js';
import { ways } from './lib/broker-ways.js';
import { environmentText } from './lib/environment.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { redisVersion, startRedis } from './lib/redis-server.js';
import { median, quantile } from './lib/statistics.js';
import { unsteadyLines } from './lib/steadiness.js';
import { short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/broker.js [options]

  --rounds <n>       rounds of each way, in turn (5)
  --seconds <n>      seconds of a latency round (5)
  --rate <n>         publications a second (1000)
  --messages <n>     publications of a throughput round, 100 in flight (20000)
  --dist <folder>    the build of nestjs-live (../dist)
`;

const names = ['rounds', 'seconds', 'rate', 'messages', 'dist'];
const options = await readOptions(Object.fromEntries(names.map((name) => [name, undefined])), help);
const [rounds, seconds, rate, messages] = [
  [options.rounds, 5],
  [options.seconds, 5],
  [options.rate, 1_000],
  [options.messages, 20_000],
].map(([given, fallback]) => Number(given ?? fallback));

const version = redisVersion();
if (version === undefined) {
  process.stdout.write(
    '## Through Redis\n\nINVALID: redis-server is not installed (apt-get install redis-server).\n\n',
  );
  process.exit(1);
}
const about = environmentText()
  .split('\n')
  .slice(0, 3)
  .concat(`Redis ${version}, not pinned to a core`)
  .join('\n');
const redis = await startRedis();
const dist = distAddress(options.dist);
const reader = new Asked({
  script: new URL('lib/broker-reader.js', import.meta.url),
  args: [dist, redis.url],
  core: 1,
});
await reader.ask('start');

const padding = 'x'.repeat(200);
const payload = () => JSON.stringify({ at: String(process.hrtime.bigint()), note: padding });

function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Publishes at a fixed rate. Returns the latency of each message in milliseconds, in order. */
async function latencies(way) {
  const start = performance.now();
  const total = rate * seconds;
  const open = [];
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - start) / 1_000) * rate) + 1);
    for (; sent < due; sent++) open.push(way.publish(payload()));
    await pause(1);
  }
  await Promise.all(open);
  await pause(200);
  const samples = await reader.ask('take');
  if (samples.length !== total) throw new Error(`${String(samples.length)} of ${String(total)} arrived`);
  return samples;
}

/** Publications stored and sent per second, with 100 in flight. */
async function throughput(way) {
  const data = payload();
  let left = messages;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      while (left-- > 0) await way.store(data);
    }),
  );
  return messages / ((performance.now() - start) / 1_000);
}

const figures = {};
for (const [name, open] of Object.entries(ways)) {
  figures[name] = { way: await open(dist, redis.url), samples: [], p99: [], perSecond: [] };
}
for (let round = 0; round <= rounds; round++) {
  // The first round is a warm-up.
  if (round > 0) progress(`round ${String(round)} of ${String(rounds)}\n`);
  const order = Object.values(figures);
  for (const figure of round % 2 === 0 ? order : order.toReversed()) {
    const samples = await latencies(figure.way);
    const perSecond = await throughput(figure.way);
    await pause(300);
    await reader.ask('take');
    if (round === 0) continue;
    figure.samples.push(...samples);
    figure.p99.push(quantile(samples, 0.99));
    figure.perSecond.push(perSecond);
  }
}
const { 'nestjs-live': ours, raw } = figures;
const ratios = ours.perSecond.map((perSecond, i) => perSecond / raw.perSecond[i]);
const ratio = median(ratios);
const more = median(ours.p99.map((p99, i) => p99 - raw.p99[i]));
const head = ['way', '>p50, ms', '>p99', '>max', '>publications/s', '>min', '>max'];
const rows = Object.entries(figures).map(([name, { samples, perSecond }]) => [
  name,
  ...[0.5, 0.99, 1].map((share) => short(quantile(samples, share))),
  ...[median(perSecond), Math.min(...perSecond), Math.max(...perSecond)].map(short),
]);
process.stdout.write(`## Through Redis

Messages of 240 bytes from one process to another: their latency at ${String(rate)} publications a second, and how many one process stores and sends a second with 100 in flight. Raw is a \`PUBLISH\` and a listener, and for the throughput a script of \`XADD\` and \`PUBLISH\`. It has no offsets and no epochs, and notices no loss.

${about}

${table(head, rows)}

${targetLine('p99 at most 5 ms above raw Pub/Sub', more <= 5, `${short(more)} ms`)}
${targetLine('at least half of the publications of a raw script', ratio >= 0.5, `${short(ratio)} ×`)}
${unsteadyLines([['publications/s × raw', ratios]])}`);
for (const { way } of Object.values(figures)) await way.close();
await reader.end();
await redis.stop();
process.exit(0);
