// Which clients get everything, in order and once, on a network that is cut repeatedly, and how
// soon?
import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { cutProxy } from './lib/cut-proxy.js';
import { environmentText } from './lib/environment.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { quantile } from './lib/statistics.js';
import { short, table } from './lib/table.js';

const help = `node bench/jitter.js [options]

Each client loses its network repeatedly, at its own random times. Every contestant gets
the same times, and its client's default settings.

  --clients <n>        1000
  --publications <n>   120, two a second
  --cut-every <s>      15
  --offline <s>        2
  --seed <n>           1
  --dist <folder>      the build of nestjs-live, ../dist
`;

const options = await readOptions(
  Object.fromEntries(
    ['clients', 'publications', 'cut-every', 'offline', 'seed', 'dist'].map((name) => [name, undefined]),
  ),
  help,
);
const { io } = await import('socket.io-client');
const clients = Number(options.clients ?? 1_000);
const publications = Number(options.publications ?? 120);
const cutEveryMs = Number(options['cut-every'] ?? 15) * 1_000;
const offlineMs = Number(options.offline ?? 2) * 1_000;
const seed = Number(options.seed ?? 1);
const everyMs = 500;
const dist = distAddress(options.dist);

const contestants = {
  'nestjs-live': { title: 'nestjs-live', join: joinLive },
  'socket.io': { title: 'socket.io', join: joinSocketIo },
  'socket.io-recovery': { title: 'socket.io with connection state recovery', join: joinSocketIo },
};

const { connect } = await import(`${dist}client/index.js`);

function joinLive(port, received) {
  const client = connect(`ws://127.0.0.1:${String(port)}/live`, { webSocket: WebSocket });
  return new Promise((ready) => {
    client.subscribe('news', (message) => {
      if (message.type === 'event') received(message.data);
      else if (message.type === 'start') ready(() => client.close());
    });
  });
}

function joinSocketIo(port, received) {
  const socket = io(`http://127.0.0.1:${String(port)}`, { transports: ['websocket'], forceNew: true });
  socket.on('event', received);
  return new Promise((ready) => {
    socket.on('connect', () => {
      // A recovered socket is in its rooms already.
      if (!socket.recovered) socket.emit('subscribe', () => ready(() => socket.close()));
    });
  });
}

/** mulberry32: the same cuts for every contestant. */
function seeded(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function enter(index, port, join) {
  const proxy = await cutProxy(port);
  const client = { seen: new Map(), order: [], replays: [], cutAt: Infinity, healedAt: 0, cuts: 0 };
  const leave = await join(proxy.port, ({ n, at }) => {
    const now = Date.now();
    client.order.push(n);
    client.seen.set(n, (client.seen.get(n) ?? 0) + 1);
    // For messages published during a cut: the time since the network returned.
    if (at >= client.cutAt && at <= client.healedAt) client.replays.push(now - client.healedAt);
  });
  const random = seeded(seed * 100_003 + index);
  client.run = async (endAt) => {
    for (await sleep(random() * cutEveryMs); Date.now() + offlineMs < endAt;) {
      client.cutAt = Date.now();
      client.healedAt = Infinity;
      proxy.cut();
      client.cuts += 1;
      await sleep(offlineMs);
      proxy.heal();
      client.healedAt = Date.now();
      await sleep(cutEveryMs * (0.5 + random()));
    }
  };
  client.leave = () => {
    leave();
    proxy.close();
  };
  return client;
}

async function measure(name) {
  const { join, title } = contestants[name];
  const server = fork(fileURLToPath(new URL('lib/jitter-server.js', import.meta.url)), [name, dist]);
  const [{ port }] = await once(server, 'message');
  const all = [];
  for (let i = 0; i < clients; i += 50) {
    const some = Array.from({ length: Math.min(50, clients - i) }, (_, k) => enter(i + k, port, join));
    all.push(...(await Promise.all(some)));
  }
  progress(`${title}: ${String(all.length)} clients are connected\n`);
  const endAt = Date.now() + publications * everyMs;
  const cutting = all.map(({ run }) => run(endAt));
  for (let n = 0; n < publications; n++) {
    server.send({ n, at: Date.now(), text: 'x'.repeat(200) });
    await sleep(everyMs - (Date.now() % everyMs));
  }
  await Promise.all(cutting);
  // Waits for clients that are still away, until nothing has arrived for ten seconds.
  let latest = Date.now();
  for (let count = 0; Date.now() - latest < 10_000; await sleep(100)) {
    const now = all.reduce((sum, { seen }) => sum + seen.size, 0);
    if (now > count) latest = Date.now();
    count = now;
    if (count === clients * publications) break;
  }
  for (const { leave } of all) leave();
  server.disconnect();
  return { title, all };
}

function row({ title, all }) {
  const expected = clients * publications;
  const delivered = all.reduce((sum, { seen }) => sum + seen.size, 0);
  const duplicates = all.reduce((sum, { order, seen }) => sum + order.length - seen.size, 0);
  const reordered = all.reduce(
    (sum, { order }) => sum + order.filter((n, i) => i > 0 && n < order[i - 1]).length,
    0,
  );
  const replays = all.flatMap((client) => client.replays);
  const at = (share) => short(quantile(replays, share) / 1_000);
  return [
    title,
    `${((delivered / expected) * 100).toFixed(2)} %`,
    String(expected - delivered),
    String(duplicates),
    String(reordered),
    ...[0.5, 0.95, 0.99, 1].map(at),
    String(all.reduce((sum, { cuts }) => sum + cuts, 0)),
  ];
}

const about = environmentText();
const rows = [];
for (const name of Object.keys(contestants)) rows.push(row(await measure(name)));
const head = [
  '',
  '>delivered',
  '>lost',
  '>duplicates',
  '>reordered',
  '>replay p50, s',
  '>p95',
  '>p99',
  '>max',
  '>cuts',
];
process.stdout.write(`## A network that is cut repeatedly

${String(clients)} clients, ${String(publications)} publications at 2/s, each client's TCP connection reset about every
${String(cutEveryMs / 1_000)} s for ${String(offlineMs / 1_000)} s at random times, the same for all contestants (seed ${String(seed)}). Replay: the
time from the network's return to the delivery of publications made during the cut. Clients use their default settings.

${about}

${table(head, rows)}

`);
process.exit(0);
