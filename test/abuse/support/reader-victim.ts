import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CanActivate, type ExecutionContext, Module, UnauthorizedException } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { NatsBroker } from '../../../src/brokers/nats/index.js';
import { RedisBroker } from '../../../src/brokers/redis/index.js';
import {
  type Broker,
  LiveModule,
  LiveService,
  LiveTopic,
  setConnectionIdentity,
} from '../../../src/index.js';
import { answer } from './ask.js';
import { maxQueuedBytesTotal } from './reader-budgets.js';
import { busyUntilNow } from './slowdown.js';

const url = process.env['ENGINE_URL'];

function engine(): Broker | undefined {
  if (url === undefined) return undefined;
  return url.startsWith('redis') ? new RedisBroker({ url }) : new NatsBroker({ url });
}

/** Accepts `Authorization: Bearer <user id>`. */
class Bearer implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    const id = /^Bearer (\w+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (id === undefined) throw new UnauthorizedException();
    setConnectionIdentity(request, { user: { id } });
    return true;
  }
}

@LiveTopic('**', { history: { size: 300 }, snapshot: 'last-per-key', slow: 'conflate', presence: true })
class Everything {
  canSubscribe(): boolean {
    return true;
  }
}

const broker = engine();

@Module({
  imports: [
    LiveModule.forRoot({
      port: 0,
      guards: [Bearer],
      maxQueuedBytesTotal,
      maxConnectionsPerUser: 30,
      ...(broker && { broker }),
    }),
  ],
  providers: [Everything],
})
class App {}

const app = await NestFactory.create(App, new ExpressAdapter(), { logger: ['fatal'] });
await app.listen(0, '127.0.0.1');
const live = app.get(LiveService);

/** Topics with a history that must survive, and topics with live traffic. */
const kept = Array.from({ length: 30 }, (_, i) => `kept/${String(i)}`);
const lively = Array.from({ length: 5 }, (_, i) => `live/${String(i)}`);
const blob = 'x'.repeat(1_000);

let failures = 0;
let maxRss = 0;
let maxQueued = 0;
const end = new AbortController();

async function stream(): Promise<void> {
  for (let n = 0; !end.signal.aborted; n++) {
    const publish = (topic: string): Promise<unknown> =>
      live.publish(topic, { at: Date.now(), blob }, { key: `key-${String(n)}` });
    await Promise.all(lively.map((topic) => publish(topic).catch(() => (failures += 1))));
    maxRss = Math.max(maxRss, process.memoryUsage.rss());
    maxQueued = Math.max(maxQueued, live.stats().queuedBytes);
    await sleep(20);
  }
}
let streamed: Promise<void> | undefined;

const handlers = {
  url: () => live.url(),
  /** Publishes the history and starts the live traffic. */
  begin: async () => {
    for (const topic of kept)
      for (let n = 1; n <= 20; n++)
        await live.publish(topic, { n, blob: blob.repeat(20) }, { key: String(n) });
    streamed = stream();
  },
  /** The maxima since the last report. */
  report: () => {
    const { rss } = process.memoryUsage();
    const busy = busyUntilNow();
    const report = { rss, maxRss, maxQueued, failures, busy, stats: live.stats() };
    [maxRss, maxQueued] = [0, 0];
    return report;
  },
  publish: (topic: string) => live.publish(topic, 'after'),
  close: async () => {
    end.abort();
    await streamed;
    await app.close();
  },
};
export type ReaderVictim = typeof handlers;

answer(handlers);
