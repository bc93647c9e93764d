// Does a server stall, or use too much memory, when many clients recover the same publications at
// once?
import process from 'node:process';
import { WebSocket } from 'ws';
import { Asked } from './lib/asking.js';
import { environmentText } from './lib/environment.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { quantile } from './lib/statistics.js';
import { short, table } from './lib/table.js';

const help = `node bench/recover.js [options]

  --clients <n>        clients (1000)
  --publications <n>   publications that each client recovers (300)
  --bytes <n>          bytes of each publication (240)
  --dist <folder>      the build of nestjs-live (../dist)
`;

const options = await readOptions(
  Object.fromEntries(['clients', 'publications', 'bytes', 'dist'].map((name) => [name, undefined])),
  help,
);
const clients = Number(options.clients ?? 1_000);
const publications = Number(options.publications ?? 300);
const bytes = Number(options.bytes ?? 240);

const about = environmentText();
const server = new Asked({
  script: new URL('lib/recover-server.js', import.meta.url),
  args: [distAddress(options.dist)],
  core: 0,
  nodeOptions: ['--expose-gc'],
});
const { url, epoch } = await server.ask('start', { publications, bytes });

function enter() {
  const socket = new WebSocket(url);
  return new Promise((ready, failed) => {
    socket.once('message', () => ready(socket));
    socket.once('error', failed);
  });
}

/** Milliseconds from the subscribe to the last missed publication. Rejects if any is missing. */
function recover(socket) {
  const start = performance.now();
  let next = 1;
  return new Promise((done, failed) => {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      if (message.type === 'subscribed') {
        if (!message.recovered) failed(new Error('not recovered'));
      } else if (message.offset !== next++) failed(new Error(`offset ${String(message.offset)}`));
      else if (next > publications) done(performance.now() - start);
    });
    socket.send(JSON.stringify({ type: 'subscribe', topic: 'news', since: { epoch, offset: 0 } }));
  });
}

const sockets = [];
for (let i = 0; i < clients; i += 50) {
  sockets.push(...(await Promise.all(Array.from({ length: Math.min(50, clients - i) }, enter))));
}
progress(`${String(sockets.length)} clients are connected\n`);
const { rss } = await server.ask('watch');
const times = await Promise.all(sockets.map(recover));
const { p99, max, peak } = await server.ask('result');
const mib = (value) => short(value / 1_048_576);
const head = [
  '>loop delay p99, ms',
  '>max',
  '>RSS before, MiB',
  '>peak',
  '>growth',
  '>recovered p50, ms',
  '>p99',
  '>max',
];
const row = [p99, max].map(short).concat(
  [rss, peak, peak - rss].map(mib),
  [0.5, 0.99, 1].map((share) => short(quantile(times, share))),
);
process.stdout.write(`## All clients recover at once

${String(clients)} clients subscribe at the same moment and recover the same ${String(publications)} publications of ${String(bytes)} bytes. Each got all of them, in order.

${about}

${table(head, [row])}

Target: event-loop delay p99 below 200 ms: ${p99 < 200 ? 'met' : 'MISSED'} (${short(p99)} ms).

`);
for (const socket of sockets) socket.terminate();
await server.end();
process.exit(0);
