// An instance of bench/drain.js or bench/rolling.js, in its own process. Publishes on request.
import process from 'node:process';
import { answer } from './asking.js';
import { topicName } from './scenarios.js';
import { steadyTopics } from './steady-topics.js';

const [, , dist, redisUrl, windowMs] = process.argv;
const instanceId = `bench-${String(process.pid)}`;
let live;

answer({
  async start() {
    await import('reflect-metadata');
    const { Module } = await import('@nestjs/common');
    const { NestFactory } = await import('@nestjs/core');
    const { LiveModule, LiveService, LiveTopic } = await import(`${dist}index.js`);
    const { RedisBroker } = await import(`${dist}brokers/redis/index.js`);
    class Topics {
      canSubscribe() {
        return true;
      }
    }
    LiveTopic(topicName('*'), { history: { size: 1_000 } })(Topics);
    class App {}
    const options = {
      instanceId,
      port: 0,
      dangerouslyPublic: true,
      broker: new RedisBroker({ url: redisUrl }),
      drainWindowMs: Number(windowMs),
      drainTimeoutMs: Number(windowMs) * 2 + 10_000,
    };
    Module({ imports: [LiveModule.forRoot(options)], providers: [Topics] })(App);
    const app = await NestFactory.create(App, { logger: ['error'] });
    app.enableShutdownHooks(['SIGTERM'], { useProcessExit: true });
    await app.init();
    live = app.get(LiveService);
    while (!live.stats().brokerAvailable) await new Promise((done) => setTimeout(done, 20));
    return { url: live.url(), instanceId };
  },

  ...steadyTopics((topic, data) => void live.publish(topic, data)),

  connections() {
    return live.stats().connections;
  },
});
