import fastifyHelmet from '@fastify/helmet';
import {
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import helmet from 'helmet';
import { ClsModule, ClsService } from 'nestjs-cls';
import { Strategy } from 'passport-http-bearer';
import { map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ConnectionRegistry, LiveTopic } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { itOnSockets } from '../support/door.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { refusalOf } from './support/refusal-of.js';

@Injectable()
class BearerStrategy extends PassportStrategy(Strategy, 'bearer') {
  validate(token: string): object | false {
    return token === 't-1' ? { id: 7, name: 'Ann' } : false;
  }
}

describe.each(platforms)('Guards of other libraries before the 101, on %s', (_name, platform) => {
  it("[L-1.6] Passport's AuthGuard decides, and its user becomes the connection's user", async () => {
    const { app, url } = await startLiveApp({
      platform,
      guards: [AuthGuard('bearer')],
      providers: [OpenTopics, BearerStrategy],
    });
    const client = await LiveTestClient.connect(url, { token: 't-1' });
    expect(await client.next()).toMatchObject({ type: 'welcome', user: { id: '7' } });
    expect(
      app
        .get(ConnectionRegistry)
        .ofUser('7')
        .map(({ user }) => user),
    ).toEqual([{ id: '7', name: 'Ann' }]);
    for (const options of [{}, { token: 't-2' }]) {
      const { statusCode, headers, body } = await refusalOf(url, options);
      expect([statusCode, body]).toEqual([
        401,
        { statusCode: 401, error: 'Unauthorized', message: 'Unauthorized' },
      ]);
      expect(headers['www-authenticate']).toBe('Bearer');
    }
  });

  it('[L-1.9] ThrottlerGuard answers 429 with its Retry-After and rate limit headers', async () => {
    const { url } = await startLiveApp({
      platform,
      guards: [ThrottlerGuard, BearerIsUser],
      imports: [ThrottlerModule.forRoot([{ ttl: 60_000, limit: 2 }])],
    });
    await LiveTestClient.connect(url, { token: 'ann' });
    // A refusal by a later guard also carries the headers of the throttler.
    const unauthorized = await refusalOf(url);
    expect(unauthorized.statusCode).toBe(401);
    expect(unauthorized.headers['x-ratelimit-remaining']).toBe('0');
    const { statusCode, headers, body } = await refusalOf(url, { token: 'ann' });
    expect([statusCode, body]).toEqual([
      429,
      {
        statusCode: 429,
        error: 'Too Many Requests',
        message: 'ThrottlerException: Too Many Requests',
      },
    ]);
    expect(Number(headers['retry-after'])).toBeGreaterThan(50);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);
  });

  /** Uses the connection as a page does: subscribes, publishes, unsubscribes and pings. */
  async function useAll(url: string, token: string): Promise<unknown[]> {
    const client = await LiveTestClient.connect(url, { token });
    client.send({ type: 'subscribe', id: 1, topic: 'open/1', field: 'of a newer client' });
    client.send({ type: 'publish', id: 2, topic: 'open/1', data: { nested: [1] }, field: 1 });
    client.send({ type: 'unsubscribe', id: 3, topic: 'open/2' });
    const messages = await client.settle();
    await client.close();
    const types = messages.map(({ type }) => type).filter((type) => type !== 'event' && type !== 'welcome');
    // Answers about different topics have no order.
    return types.toSorted();
  }

  const all = ['published', 'subscribed', 'unsubscribed'];

  it("[S7] Passport's AuthGuard as APP_GUARD decides the handshake and refuses no later message", async () => {
    const { url } = await startLiveApp({
      platform,
      guards: [BearerIsUser],
      providers: [OpenTopics, BearerStrategy, { provide: APP_GUARD, useClass: AuthGuard('bearer') }],
    });
    expect(await useAll(url, 't-1')).toEqual(all);
    expect((await refusalOf(url, { token: 't-2' })).statusCode).toBe(401);
  });

  // On streams the guards also decide about each POST [L-12.7].
  itOnSockets('[S7] ThrottlerGuard as APP_GUARD counts handshakes by address and no messages', async () => {
    const { url } = await startLiveApp({
      platform,
      guards: [BearerIsUser],
      imports: [ThrottlerModule.forRoot([{ ttl: 60_000, limit: 2 }])],
      providers: [OpenTopics, { provide: APP_GUARD, useClass: ThrottlerGuard }],
    });
    expect(await useAll(url, 'ann')).toEqual(all);
    expect(await useAll(url, 'bob')).toEqual(all);
    expect((await refusalOf(url, { token: 'eve' })).statusCode).toBe(429);
  });

  it('[S7] a global interceptor that wraps answers and a strict ValidationPipe leave live messages alone', async () => {
    @Injectable()
    class Wrap implements NestInterceptor {
      intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(map((data: unknown) => ({ data, statusCode: 200 })));
      }
    }
    const strict = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });
    const { url } = await startLiveApp({
      platform,
      providers: [OpenTopics, { provide: APP_INTERCEPTOR, useClass: Wrap }],
      before: (app) => app.useGlobalPipes(strict),
    });
    expect(await useAll(url, 'ann')).toEqual(all);
  });

  itOnSockets(
    '[S7] nestjs-cls has a context in the handshake, and in each message with globalEnhancersOnMessages',
    async () => {
      const seen: unknown[] = [];
      @Injectable()
      class ReadsContext implements CanActivate {
        constructor(private readonly cls: ClsService) {}

        canActivate(): boolean {
          seen.push(this.cls.isActive() && this.cls.get('from'));
          return true;
        }
      }
      @LiveTopic('rooms/:room')
      class Rooms {
        constructor(private readonly cls: ClsService) {}

        canSubscribe(): boolean {
          seen.push(this.cls.isActive() && this.cls.get('from'));
          return true;
        }
      }
      const setup = (cls: ClsService, context: ExecutionContext): void => cls.set('from', context.getType());
      for (const globalEnhancersOnMessages of [false, true]) {
        const { url } = await startLiveApp({
          platform,
          guards: [BearerIsUser, ReadsContext],
          imports: [ClsModule.forRoot({ global: true, guard: { mount: true, setup } })],
          options: { globalEnhancersOnMessages },
          providers: [Rooms],
        });
        const client = await LiveTestClient.connect(url, { token: 'ann' });
        await client.next();
        expect(await client.request({ type: 'subscribe', id: 1, topic: 'rooms/1' })).toMatchObject({
          type: 'subscribed',
        });
      }
      expect(seen).toEqual(['http', false, 'http', 'ws']);
    },
  );

  it('[S7] Helmet adds its headers to pages and leaves handshakes alone', async () => {
    const { url, httpUrl } = await startLiveApp({
      platform,
      options: { port: 'app' },
      providers: [OpenTopics],
      before: async (nest) => {
        if (platform === 'express') nest.use(helmet());
        else await (nest as NestFastifyApplication).register(fastifyHelmet);
      },
    });
    expect(await useAll(url, 'ann')).toEqual(all);
    const page = await fetch(`${httpUrl}/none`);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  });
});
