// How long does a late joiner of a large collection take, and how much memory does a key take?
import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { WebSocket } from 'ws';
import { environmentText } from './lib/environment.js';
import { distAddress, readOptions } from './lib/options.js';
import { targetLine } from './lib/target.js';

const help = `node bench/collection.js [options]

  --keys <n>        keys of the topic (50000)
  --updates <n>     publications a second (1000)
  --joins <n>       clients that join, one after the other (30)
  --dist <folder>   the build of nestjs-live (../dist)
`;

const valueOf = (n) => ({
  lat: 48 + (n % 997) / 997,
  lon: 11 + (n % 991) / 991,
  speed: n % 130,
  name: `Car ${n}`,
});

/** The server, with a store of its own, which it publishes from. */
async function serve(dist, keys, updates) {
  await import('reflect-metadata');
  const { Module } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { LiveModule, LiveService, LiveTopic } = await import(`${dist}index.js`);
  const store = new Map(Array.from({ length: keys }, (_, n) => [`car-${n}`, valueOf(n)]));
  class Fleet {
    canSubscribe() {
      return true;
    }
    snapshot() {
      return Object.fromEntries(store);
    }
  }
  LiveTopic('fleet', { history: { size: 300 } })(Fleet);
  class App {}
  const live = LiveModule.forRoot({ port: 0, dangerouslyPublic: true });
  Module({ imports: [live], providers: [Fleet] })(App);
  const app = await NestFactory.create(App, { logger: ['error'] });
  await app.init();
  const service = app.get(LiveService);
  let n = 0;
  const perTick = Math.max(1, Math.round(updates / 100));
  setInterval(() => {
    for (let i = 0; i < perTick; i++) {
      const key = `car-${(n * 7_919) % keys}`;
      store.set(key, valueOf(n++));
      void service.publish('fleet', store.get(key), { key });
    }
  }, 10);
  process.send(service.url());
}

/** A WebSocket that notes when its first page came. */
class NotingSocket extends WebSocket {
  static firstPageMs;
  constructor(...all) {
    super(...all);
    NotingSocket.firstPageMs = undefined;
    this.on('message', (data) => {
      if (NotingSocket.firstPageMs === undefined && String(data).startsWith('{"type":"page"'))
        NotingSocket.firstPageMs = performance.now();
    });
  }
}

async function measure() {
  const options = await readOptions({ keys: '50000', updates: '1000', joins: '30', dist: undefined }, help);
  const dist = distAddress(options.dist);
  const [keys, joins] = [Number(options.keys), Number(options.joins)];
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc');
  const { collection, connect } = await import(`${dist}client/index.js`);
  const server = fork(fileURLToPath(import.meta.url), ['--serve', dist, options.keys, options.updates]);
  const [url] = await once(server, 'message');
  const times = [];
  let heapPerKey = 0;
  for (let join = 0; join < joins; join++) {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const client = connect(url, { webSocket: NotingSocket });
    const cars = collection(client, 'fleet');
    await cars.ready;
    times.push(performance.now() - (NotingSocket.firstPageMs ?? performance.now()));
    if (cars.size !== keys) throw new Error(`${cars.size} keys instead of ${keys}`);
    await sleep(300);
    collectGarbage();
    heapPerKey = Math.max(heapPerKey, (process.memoryUsage().heapUsed - before) / keys);
    if (cars.stale) throw new Error('stale');
    client.close();
  }
  server.kill();
  const payload = Array.from({ length: 1_000 }, (_, n) => JSON.stringify(valueOf(n)).length);
  const payloadBytes = payload.reduce((sum, each) => sum + each, 0) / payload.length;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)];
  const [p50, p99] = [at(0.5), at(0.99)].map((ms) => ms.toFixed(0));
  const extra = Math.round(heapPerKey - payloadBytes);
  process.stdout.write(
    [
      `${environmentText()}\n`,
      `${keys} keys of ${payloadBytes.toFixed(0)} bytes, ${options.updates} updates a second, ${joins} joins\n`,
      `complete after the first page: p50 ${p50} ms, p99 ${p99} ms\n`,
      targetLine('complete at most 500 ms after the first page (p99)', Number(p99) <= 500, `${p99} ms`),
      targetLine('heap of a key at most its JSON and 200 bytes', extra <= 200, `JSON and ${extra} bytes`),
    ].join(''),
  );
}

if (process.argv[2] === '--serve')
  await serve(process.argv[3], Number(process.argv[4]), Number(process.argv[5]));
else await measure();
