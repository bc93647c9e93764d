// The server of bench/recover.js in its own process: a topic with a history, and a loop monitor.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { answer } from './asking.js';

const [, , dist] = process.argv;
const resolutionMs = 5;
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
let live;

answer({
  async start({ publications, bytes }) {
    await import('reflect-metadata');
    const { Module } = await import('@nestjs/common');
    const { NestFactory } = await import('@nestjs/core');
    const { LiveModule, LiveService, LiveTopic } = await import(`${dist}index.js`);
    class News {
      canSubscribe() {
        return true;
      }
    }
    LiveTopic('news', { history: { size: publications } })(News);
    class App {}
    Module({ imports: [LiveModule.forRoot({ port: 0, dangerouslyPublic: true })], providers: [News] })(App);
    const app = await NestFactory.create(App, { logger: ['error'] });
    await app.init();
    live = app.get(LiveService);
    let position;
    for (let n = 1; n <= publications; n++)
      position = await live.publish('news', { n, text: 'x'.repeat(bytes) });
    return { url: live.url(), epoch: position.epoch };
  },

  watch() {
    globalThis.gc();
    delay.enable();
    delay.reset();
    return { rss: process.memoryUsage.rss() };
  },

  result() {
    delay.disable();
    const ms = (nanos) => nanos / 1e6 - resolutionMs;
    const peak = process.resourceUsage().maxRSS * 1024;
    return { p99: ms(delay.percentile(99)), max: ms(delay.max), peak, queued: live.stats().queuedBytes };
  },
});
