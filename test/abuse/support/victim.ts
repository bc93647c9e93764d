import 'reflect-metadata';
import type { Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  Module,
  UnauthorizedException,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  LiveModule,
  LiveObservers,
  type LiveModuleOptions,
  LiveService,
  LiveTopic,
  setConnectionIdentity,
} from '../../../src/index.js';
import { LiveServer } from '../../../src/nest/server/live.server.js';
import { answer } from './ask.js';
import { busyUntilNow } from './slowdown.js';

const guardMs = Number(process.env['GUARD_MS'] ?? 0);

/** The server must handle all abuse, unless the test is about the limits themselves. */
const limits: LiveModuleOptions =
  process.env['LIMITS'] === 'on'
    ? { maxPendingUpgradesPerAddress: 20, trustedProxies: 1 }
    : { dangerouslyUnlimitedInbound: true };

/** Calls of the guard: in total, in flight, and the maximum in flight. */
const guard = { asked: 0, busy: 0, maxBusy: 0 };

/** Accepts `Authorization: Bearer <user id>` after a delay. */
@Injectable()
class SlowBearer implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    guard.asked += 1;
    guard.maxBusy = Math.max(guard.maxBusy, (guard.busy += 1));
    if (guardMs > 0) await sleep(guardMs);
    guard.busy -= 1;
    const id = /^Bearer (\w+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (id === undefined) throw new UnauthorizedException();
    setConnectionIdentity(request, { user: { id } });
    return true;
  }
}

@LiveTopic('open/*', { history: { size: 20 } })
class OpenTopics {
  canSubscribe(): boolean {
    return true;
  }

  canPublish(): boolean {
    return true;
  }
}

/** Decides late and has a slow snapshot, so that a peer may leave in between. */
@LiveTopic('slow/*')
class SlowTopics {
  async canSubscribe(): Promise<boolean> {
    await sleep(2);
    return true;
  }

  async snapshot(): Promise<unknown> {
    await sleep(2);
    return { state: 1 };
  }
}

@LiveTopic('admin/*')
class AdminTopics {
  canSubscribe(user: { readonly admin?: unknown } | null): boolean {
    return user?.admin === true;
  }
}

export const targets = [
  'express, own port',
  'express, its port',
  'fastify, own port',
  'fastify, its port',
] as const;

/** Messages that were not refused. */
let taken = 0;

async function start(target: (typeof targets)[number]) {
  @Module({
    imports: [
      LiveModule.forRoot({
        port: target.endsWith('own port') ? 0 : 'app',
        guards: [SlowBearer],
        pingIntervalMs: 2_000,
        sse: true,
        ...limits,
      }),
    ],
    providers: [OpenTopics, SlowTopics, AdminTopics],
  })
  class App {}
  const platform = target.startsWith('express') ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(App, platform, { logger: ['error', 'fatal'] });
  (app.getHttpServer() as Server).keepAliveTimeout = 1_000;
  await app.listen(0, '127.0.0.1');
  app.get(LiveObservers).add({ inbound: () => void (taken += 1) });
  return { app, live: app.get(LiveService), server: app.get(LiveServer) };
}

const wanted = targets.slice(0, Number(process.env['TARGETS'] ?? targets.length));
const apps = await Promise.all(wanted.map(start));
const streamEnd = new AbortController();
let published = 0;

async function stream(): Promise<void> {
  while (!streamEnd.signal.aborted) {
    published += 1;
    for (const { live } of apps) await live.publish('open/stream', { published });
    await sleep(5);
  }
}
const streamed = stream();

const sockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

/** How long the event loop was blocked, in steps of a millisecond. */
const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();

const handlers = {
  /** The longest block of the event loop since the last call, in milliseconds. */
  longestHold: () => {
    const ms = loop.max / 1_000_000;
    loop.reset();
    return ms;
  },
  /** Milliseconds to parse and serialize this many tiny messages: the unit for other times. */
  unit: (messages: number) => {
    const since = performance.now();
    for (let i = 0; i < messages; i++) {
      const read: unknown = JSON.parse(Buffer.from('{"type":"ping"}').toString());
      if (JSON.stringify(read).length === 0) throw new Error('nothing');
    }
    return performance.now() - since;
  },
  urls: () => apps.map(({ live }) => live.url()),
  /** Ends the stream and returns its length. */
  endStream: async () => {
    streamEnd.abort();
    await streamed;
    return published;
  },
  state: () => {
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    const stats = apps.map(({ live, server }) => ({ ...live.stats(), pending: server.pendingHandshakes }));
    const busy = busyUntilNow();
    const polluted = 'admin' in {};
    return { rss, heapUsed, external, busy, sockets: sockets(), stats, guard, taken, polluted };
  },
  /** Shuts down and returns the number of sockets that are left. */
  close: async () => {
    for (const { app } of apps) await app.close();
    for (let i = 0; i < 100 && sockets() > 0; i++) await sleep(10);
    return sockets();
  },
};
export type Victim = typeof handlers;

answer(handlers);
