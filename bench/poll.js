// How often are states asked for that many clients read on several instances?
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { Asked, pinSelf } from './lib/asking.js';
import { environmentText } from './lib/environment.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { redisVersion, startRedis } from './lib/redis-server.js';
import { short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/poll.js [options]

Clients read polled topics on two instances on Redis. Counts the calls of snapshot() and the publications: while nothing
changes, after one change, after one instance has died, and after all clients have left.

  --clients <n>      clients, half of them on either instance; each has one topic (10000)
  --topics <n>       (200)
  --every <ms>       poll.everyMs (1000)
  --seconds <n>      of the part in which nothing changes (10)
  --dist <folder>    the build of nestjs-live (../dist)
`;

const options = await readOptions(
  { clients: '10000', topics: '200', every: '1000', seconds: '10', dist: undefined },
  help,
);
const [clients, topics, everyMs, seconds] = ['clients', 'topics', 'every', 'seconds'].map((name) =>
  Number(options[name]),
);
/** `instanceTimeoutMs`, after which another instance continues. */
const deathMs = 6_000;

if (redisVersion() === undefined) {
  process.stdout.write(
    '## Polled topics\n\nINVALID: redis-server is not installed (apt-get install redis-server).\n\n',
  );
  process.exit(1);
}
const about = environmentText();
pinSelf(1);
const redis = await startRedis();
const instances = [0, 1].map(
  () =>
    new Asked({
      script: new URL('lib/poll-server.js', import.meta.url),
      args: [distAddress(options.dist), redis.url, String(everyMs)],
      core: 0,
    }),
);
const urls = await Promise.all(instances.map(async (instance) => (await instance.ask('start')).url));
await sleep(1_000);

let received = 0;
let sockets = await connectAll();
progress(`${String(clients)} clients are connected\n`);
await sleep(3 * everyMs);

const receivedBefore = received;
const publishedBefore = (await takeCounts()).publications;
await sleep(seconds * 1_000);
const quiet = await takeCounts();
const quietPublications = quiet.publications - publishedBefore;
const quietDeliveries = received - receivedBefore;

for (const instance of instances) await instance.ask('change');
await sleep(2 * everyMs);
const changed = (await takeCounts()).publications - quiet.publications;
const changedDeliveries = received - receivedBefore - quietDeliveries;

progress('one instance is killed\n');
const [dying, staying] = instances;
instances.shift();
// Its clients come back to the other instance.
const killedAtMs = performance.now();
dying.child.kill('SIGKILL');
await dying.ended;
sockets = await comeBack();
let backMs = Number.NaN;
const asked = new Set();
while (asked.size < topics && performance.now() - killedAtMs < 3 * deathMs) {
  for (const [topic] of (await staying.ask('takeCounts')).calls) asked.add(topic);
  if (asked.size === topics) backMs = performance.now() - killedAtMs;
  await sleep(20);
}

for (const socket of sockets) socket.close();
await sleep(1_000);
await takeCounts();
await sleep(2 * everyMs);
const after = (await takeCounts()).sum;
await staying.end();
await redis.stop();

const perSecond = quiet.sum / seconds;
const expected = (topics * 1_000) / everyMs;
process.stdout.write(
  [
    '## Polled topics',
    '',
    `${String(clients)} clients on two instances read ${String(topics)} topics that are polled every ${String(everyMs)} ms.`,
    '',
    about,
    '',
    table(
      ['part', '>calls a second', '>publications', '>deliveries'],
      [
        ['nothing changes', short(perSecond), String(quietPublications), String(quietDeliveries)],
        ['one change of each topic', '–', String(changed), String(changedDeliveries)],
        ['1 to 3 intervals after all have left', String(after), '–', '–'],
      ],
    ),
    '',
    targetLine(
      `${String(expected)} ± 1 % calls a second on both instances together`,
      Math.abs(perSecond - expected) <= expected / 100,
      short(perSecond),
    ),
    targetLine(
      'nothing is published where nothing has changed',
      quietPublications + quietDeliveries === 0,
      `${String(quietPublications)} publications, ${String(quietDeliveries)} deliveries`,
    ),
    targetLine(
      'each change reaches each client once',
      changed === topics && changedDeliveries === clients,
      `${String(changed)} publications, ${String(changedDeliveries)} deliveries`,
    ),
    targetLine('no calls from 1 s after the last client has left', after === 0, String(after)),
    targetLine(
      `all topics are asked for again within ${String(deathMs / 1_000)} s after the death of an instance`,
      backMs <= deathMs,
      `${short(backMs / 1_000)} s`,
    ),
    '',
  ].join('\n'),
);
process.exit(0);

async function connectAll() {
  const all = [];
  for (let first = 0; first < clients; first += 100) {
    const group = Array.from({ length: Math.min(100, clients - first) }, (_, i) =>
      connect(urls[(first + i) % 2], Math.floor((first + i) / 2) % topics),
    );
    all.push(...(await Promise.all(group)));
  }
  return all;
}

/** The clients of the killed instance, on the other one. */
async function comeBack() {
  const open = sockets.filter(({ url }) => !url.startsWith(urls[0]));
  const again = sockets.filter(({ url }) => url.startsWith(urls[0]));
  for (let first = 0; first < again.length; first += 100)
    open.push(
      ...(await Promise.all(again.slice(first, first + 100).map(({ topic }) => connect(urls[1], topic)))),
    );
  return open;
}

function connect(url, topic) {
  const socket = Object.assign(new WebSocket(url), { topic });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (text) => {
      const { type } = JSON.parse(String(text));
      if (type === 'welcome')
        socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: `state/${String(topic)}` }));
      else if (type === 'subscribed') {
        socket.removeAllListeners('error');
        socket.on('error', () => {});
        resolve(socket);
      } else if (type === 'event') received += 1;
    });
  });
}

async function takeCounts() {
  const counts = await Promise.all(instances.map((instance) => instance.ask('takeCounts')));
  const calls = counts.flatMap(({ calls }) => calls);
  return {
    sum: calls.reduce((sum, [, count]) => sum + count, 0),
    publications: counts.reduce((sum, { publications }) => sum + publications, 0),
  };
}
