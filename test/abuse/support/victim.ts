import 'reflect-metadata';
import type { Server } from 'node:http';
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
import { LiveModule, LiveService, LiveTopic, setConnectionIdentity } from '../../../src/index.js';
import { LiveServer } from '../../../src/nest/live.server.js';
import { answer } from './ask.js';

const guardMs = Number(process.env['GUARD_MS'] ?? 0);

/** Lets in who has `Authorization: Bearer <user id>`, after a while. */
@Injectable()
class SlowBearer implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<{ headers: { authorization?: string } }>();
    if (guardMs > 0) await sleep(guardMs);
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

/** Decides late, and has a snapshot: a peer may leave in the middle of everything. */
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

async function start(target: (typeof targets)[number]) {
  @Module({
    imports: [
      LiveModule.forRoot({
        port: target.endsWith('own port') ? 0 : 'app',
        guards: [SlowBearer],
        pingIntervalMs: 2_000,
        // What the abuse is about is to be handled, unless it is about the limits themselves.
        ...(process.env['LIMITS'] !== 'on' && { dangerouslyUnlimitedInbound: true }),
      }),
    ],
    providers: [OpenTopics, SlowTopics, AdminTopics],
  })
  class App {}
  const platform = target.startsWith('express') ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(App, platform, { logger: ['error', 'fatal'] });
  (app.getHttpServer() as Server).keepAliveTimeout = 1_000;
  await app.listen(0, '127.0.0.1');
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

const handlers = {
  urls: () => apps.map(({ live }) => live.url()),
  /** Ends the stream; gives its length. */
  endStream: async () => {
    streamEnd.abort();
    await streamed;
    return published;
  },
  state: () => {
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    const stats = apps.map(({ live, server }) => ({ ...live.stats(), pending: server.pendingHandshakes }));
    const { user, system } = process.cpuUsage();
    const busy = { wallMs: performance.eventLoopUtilization().active, cpuMs: (user + system) / 1_000 };
    return { rss, heapUsed, busy, sockets: sockets(), stats, polluted: 'admin' in {} };
  },
  /** A whole shutdown; gives how many sockets are left after it. */
  close: async () => {
    for (const { app } of apps) await app.close();
    for (let i = 0; i < 100 && sockets() > 0; i++) await sleep(10);
    return sockets();
  },
};
export type Victim = typeof handlers;

answer(handlers);
