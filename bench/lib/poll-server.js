// An instance of bench/poll.js, in its own process: polled topics whose state changes on request.
import process from 'node:process';
import { answer } from './asking.js';

const [, , dist, redisUrl, everyMs] = process.argv;
const instanceId = `bench-${String(process.pid)}`;
let live;
let version = 0;
/** Calls since they were last taken, by topic. */
const calls = new Map();

answer({
  async start() {
    await import('reflect-metadata');
    const { Module } = await import('@nestjs/common');
    const { NestFactory } = await import('@nestjs/core');
    const { LiveModule, LiveService, LiveTopic } = await import(`${dist}index.js`);
    const { RedisBroker } = await import(`${dist}brokers/redis/index.js`);
    class States {
      canSubscribe() {
        return true;
      }
      snapshot(_params, topic) {
        calls.set(topic, (calls.get(topic) ?? 0) + 1);
        return { version, text: 'x'.repeat(200) };
      }
    }
    LiveTopic('state/:id', { poll: { everyMs: Number(everyMs) }, occupancy: { graceMs: 0 } })(States);
    class App {}
    const broker = new RedisBroker({ url: redisUrl });
    Module({
      imports: [LiveModule.forRoot({ instanceId, port: 0, dangerouslyPublic: true, broker })],
      providers: [States],
    })(App);
    const app = await NestFactory.create(App, { logger: ['error'] });
    await app.init();
    live = app.get(LiveService);
    while (!live.stats().brokerAvailable) await new Promise((done) => setTimeout(done, 20));
    return { url: live.url() };
  },

  change() {
    version += 1;
  },

  /** What has happened since the last question. */
  takeCounts() {
    const counts = [...calls];
    calls.clear();
    return { calls: counts, publications: live.stats().publicationsTotal };
  },
});
