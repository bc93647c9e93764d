// One instance of an application on a broker, in its own process, on the built package:
// fork('instance.mjs', [JSON of { broker, port, history, first, options? }]).
// Publishes on request of its parent, and sends it the acknowledgements.
import 'reflect-metadata';
import { performance } from 'node:perf_hooks';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { TerminusModule } from '@nestjs/terminus';
import { LiveModule, LiveService, LiveTopic } from '../../../dist/index.js';
import { LiveHealthIndicator, LiveHealthModule } from '../../../dist/nest/health/index.js';

const settings = JSON.parse(process.argv[2]);

class AllTopics {
  canSubscribe() {
    return true;
  }

  canPublish() {
    return true;
  }
}
LiveTopic('chaos/*', { history: { size: settings.history } })(AllTopics);

class AppModule {}
Module({
  imports: [
    LiveModule.forRoot({
      port: settings.port,
      dangerouslyPublic: true,
      broker: await brokerOf(settings.broker),
    }),
    TerminusModule.forRoot({ logger: false }),
    LiveHealthModule,
  ],
  providers: [AllTopics],
})(AppModule);

const adapter = new ExpressAdapter();
const app = await NestFactory.create(AppModule, adapter, { logger: false });
const [live, indicator] = [app.get(LiveService), app.get(LiveHealthIndicator)];
for (const which of ['live', 'ready'])
  adapter.get(`/health/${which}`, (_request, response) => {
    response.status(indicator[which]().live.status === 'up' ? 200 : 503).end();
  });
await app.listen(0, '127.0.0.1');

/** Number of the next publication, unique among all instances. */
let number = settings.first;
let topics = [];
let perSecond = 0;
let startedMs = 0;
let begun = 0;
let open = 0;
let acknowledged = [];
let refused = 0;
/** Counts of the reasons for refusals. */
const codes = {};
/** The slowest refusal while the broker was known to be away. */
let slowestRefusalMs = 0;

async function publish() {
  const n = number++;
  const topic = topics[n % topics.length];
  const known = indicator.ready().live.status === 'down';
  const sentMs = performance.now();
  open += 1;
  try {
    const { epoch, offset } = await live.publish(topic, { n, at: Date.now() });
    acknowledged.push([topic, n, epoch, offset]);
  } catch (error) {
    refused += 1;
    const why = `${error.code}${error.details?.retryAfterMs === undefined ? '' : ' with retryAfterMs'}`;
    codes[why] = (codes[why] ?? 0) + 1;
    if (known) slowestRefusalMs = Math.max(slowestRefusalMs, performance.now() - sentMs);
  } finally {
    open -= 1;
  }
}

setInterval(() => {
  const due = Math.floor(((performance.now() - startedMs) * perSecond) / 1_000);
  // Skips what could not be started in time, instead of starting it all at once.
  if (due - begun > perSecond / 2) begun = due - Math.floor(perSecond / 2);
  for (; begun < due; begun += 1) void publish();
}, 10);

setInterval(() => {
  if (acknowledged.length === 0) return;
  process.send({ said: 'acknowledged', list: acknowledged });
  acknowledged = [];
}, 20);

function figures() {
  const { heapUsed, rss } = process.memoryUsage();
  return { said: 'figures', heapUsed, rss, refused, codes, slowestRefusalMs };
}

process.on('message', (message) => {
  if (message.do === 'publish') {
    ({ topics, perSecond } = message);
    [startedMs, begun] = [performance.now(), 0];
  } else if (message.do === 'stop') {
    perSecond = 0;
    const wait = setInterval(() => {
      if (open > 0 || acknowledged.length > 0) return;
      clearInterval(wait);
      process.send({ said: 'stopped' });
    }, 10);
  } else process.send(figures());
});
process.on('disconnect', () => process.exit());
process.send({ said: 'listening', sockets: live.url(), http: await app.getUrl() });

async function brokerOf(url) {
  if (url.startsWith('nats:')) {
    const { NatsBroker } = await import('../../../dist/brokers/nats/index.js');
    return new NatsBroker({ ...settings.options, url });
  }
  const { RedisBroker } = await import('../../../dist/brokers/redis/index.js');
  return new RedisBroker({ url: url.includes('sentinel') ? url : url.split(',') });
}
