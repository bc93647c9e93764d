// What does a connection with 100 topics cost, with one message and with one per topic?
import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { endsWithThis } from './lib/ending.js';
import { inTurn } from './lib/entrants.js';
import { environmentText } from './lib/environment.js';
import { distAddress, progress, readOptions } from './lib/options.js';
import { median } from './lib/statistics.js';
import { short, table } from './lib/table.js';
import { targetLine } from './lib/target.js';

const help = `node bench/topics.js [options]

  --topics <n>        topics per connection (100)
  --connections <n>   connections per round, one after the other (50)
  --rounds <n>        rounds of each way, in turn, after a warm-up (7)
  --dist <folder>     the build of nestjs-live (../dist)
  --compare <folder>  another build, inside the repository, with one message per topic
`;

/** The server process. Sends its URL, then answers each message with its CPU time so far. */
async function serve(dist) {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { LiveModule, LiveService, LiveTopic } = await import(`${dist}index.js`);
  class Topics {
    async canSubscribe() {
      return true;
    }
  }
  LiveTopic('bench/:number', {})(Topics);
  class App {}
  const live = LiveModule.forRoot({ port: 0, dangerouslyPublic: true, dangerouslyUnlimitedInbound: true });
  Module({ imports: [live], providers: [Topics] })(App);
  const app = await NestFactory.create(App, { logger: false });
  await app.init();
  process.on('message', () => process.send(process.cpuUsage()));
  process.send(app.get(LiveService).url());
}

if (process.argv[2] === '--serve') await serve(process.argv[3]);
else await measureAll();

/** Resolves once all topics are subscribed and the connection is closed. */
async function connectOnce(url, messages, topics) {
  const socket = new WebSocket(url);
  let answers = 0;
  socket.on('message', (data) => {
    const text = String(data);
    if (text.startsWith('{"type":"welcome"')) for (const message of messages) socket.send(message);
    else if (!text.startsWith('{"type":"subscribed"')) throw new Error(`Unexpected: ${text}`);
    else if (++answers === topics) socket.close();
  });
  await once(socket, 'close');
}

async function measureAll() {
  const names = ['topics', 'connections', 'rounds', 'dist', 'compare'];
  const options = await readOptions(Object.fromEntries(names.map((name) => [name, undefined])), help);
  const topics = Number(options.topics ?? 100);
  const connections = Number(options.connections ?? 50);
  const rounds = Number(options.rounds ?? 7);
  const each = Array.from({ length: topics }, (_, i) => ({ topic: `bench/${String(i)}` }));
  const single = each.map((topic) => JSON.stringify({ type: 'subscribe', id: 1, ...topic }));
  const ways = [
    {
      title: 'one message',
      dist: options.dist,
      messages: [JSON.stringify({ type: 'subscribe', id: 1, topics: each })],
    },
    { title: 'one message per topic', dist: options.dist, messages: single },
  ];
  if (options.compare !== undefined)
    ways.push({ title: 'one message per topic, other build', dist: options.compare, messages: single });
  for (const way of ways) {
    way.server = endsWithThis(fork(fileURLToPath(import.meta.url), ['--serve', distAddress(way.dist)]));
    [way.url] = await once(way.server, 'message');
    way.figures = [];
  }
  const cpuOf = async ({ server }) => {
    server.send('cpu');
    const [{ user, system }] = await once(server, 'message');
    return user + system;
  };
  for (let round = 0; round <= rounds; round++) {
    progress(`round ${String(round)}\n`);
    for (const way of inTurn(ways, round)) {
      const before = await cpuOf(way);
      for (let i = 0; i < connections; i++) await connectOnce(way.url, way.messages, topics);
      // The first round is a warm-up.
      if (round > 0) way.figures.push(((await cpuOf(way)) - before) / connections);
    }
  }
  const baseline = ways.at(-1);
  const ratios = ways.map(({ figures }) => median(figures.map((cpu, i) => cpu / baseline.figures[i])));
  const rows = ways.map(({ title, figures }, i) => [title, short(median(figures)), ratios[i].toFixed(2)]);
  process.stdout.write(`## Topics of a connection

${environmentText().split('\n').slice(0, 3).join('\n')}

${String(connections)} connections per round, each with ${String(topics)} topics and their answers, from handshake to close.

${table(['way', '>CPU µs/connection', '>ratio'], rows)}

`);
  if (options.compare !== undefined)
    process.stdout.write(
      targetLine(
        'at most 1.20 × the CPU of single messages in the other build',
        ratios[0] <= 1.2,
        ratios[0].toFixed(2),
      ),
    );
  for (const { server } of ways) server.kill();
  process.exit(0);
}
