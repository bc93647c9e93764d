import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  HttpException,
  Injectable,
  Module,
  SetMetadata,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import type { ServerResponse } from 'node:http';
import { defer, delay, EMPTY, of, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ConnectionRegistry, LiveGateway, setConnectionIdentity } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { onStreams } from '../support/door.js';
import { OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { RawPeer } from './support/raw-peer.js';
import { refusalOf } from './support/refusal-of.js';

type Asked = (context: ExecutionContext) => boolean | Promise<boolean> | Observable<boolean>;

/** A guard that runs `canActivate`. */
function guard(canActivate: Asked) {
  @Injectable()
  class OneLineGuard implements CanActivate {
    canActivate(context: ExecutionContext) {
      return canActivate(context);
    }
  }
  return OneLineGuard;
}

const responseOf = (context: ExecutionContext): ServerResponse =>
  context.switchToHttp().getResponse<ServerResponse>();

const forbiddenBody = { statusCode: 403, error: 'Forbidden', message: 'Forbidden resource' };

describe.each(platforms)('Guards before the 101, on %s', (_name, platform) => {
  it('[S4] a guard with dependencies decides asynchronously before the connection exists', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Tickets {
      readonly good = new Set(['t-1']);
    }
    @Injectable()
    class TicketGuard implements CanActivate {
      constructor(private readonly tickets: Tickets) {}

      async canActivate(context: ExecutionContext): Promise<boolean> {
        const request = context.switchToHttp().getRequest<{ url: string }>();
        seen.push([context.getType(), context.getArgs().length, registry().size]);
        await Promise.resolve();
        const ticket = new URL(request.url, 'ws://x').searchParams.get('ticket') ?? '';
        if (!this.tickets.good.has(ticket)) return false;
        setConnectionIdentity(request, { user: { id: ticket } });
        return true;
      }
    }
    @Module({ providers: [Tickets], exports: [Tickets] })
    class TicketsModule {}
    const { app, url } = await startLiveApp({
      platform,
      guards: [TicketGuard],
      options: { imports: [TicketsModule] } as object,
    });
    const registry = (): ConnectionRegistry => app.get(ConnectionRegistry);
    const client = await LiveTestClient.connect(`${url}?ticket=t-1`);
    expect(await client.next()).toMatchObject({ user: { id: 't-1' } });
    const refused = await refusalOf(`${url}?ticket=t-2`);
    expect([refused.statusCode, refused.body]).toEqual([403, forbiddenBody]);
    expect(seen).toEqual([
      ['http', 2, 0],
      ['http', 2, 1],
    ]);
  });

  it('[L-1.6] an UnauthorizedException gets 401 with the text and the WWW-Authenticate of the guard', async () => {
    const guards = [
      guard((context) => {
        responseOf(context).setHeader('WWW-Authenticate', 'Bearer realm="fleet", error="invalid_token"');
        throw new UnauthorizedException('Your token has expired');
      }),
    ];
    const { url } = await startLiveApp({ platform, guards });
    const { statusCode, headers, body } = await refusalOf(url);
    expect([statusCode, body]).toEqual([
      401,
      { statusCode: 401, error: 'Unauthorized', message: 'Your token has expired' },
    ]);
    expect(headers['www-authenticate']).toBe('Bearer realm="fleet", error="invalid_token"');
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(headers.connection).toBe('close');
  });

  it('[L-1.6] a 401 gets a WWW-Authenticate header if the guard sets none', async () => {
    const { url } = await startLiveApp({ platform });
    const { statusCode, headers } = await refusalOf(url);
    expect([statusCode, headers['www-authenticate']]).toEqual([401, 'Bearer']);
  });

  it('[L-1.6] the last value of an Observable decides', async () => {
    let answer = false;
    const guards = [guard(() => defer(() => of(answer).pipe(delay(5))))];
    const { url } = await startLiveApp({ platform, guards });
    expect((await refusalOf(url)).body).toEqual(forbiddenBody);
    answer = true;
    const client = await LiveTestClient.connect(url);
    expect(await client.next()).toMatchObject({ type: 'welcome', user: null });
  });

  it('[L-1.6] guards run in order, and none runs after one that denies', async () => {
    const asked: string[] = [];
    const says = (name: string, answer: boolean) =>
      guard(() => {
        asked.push(name);
        return answer;
      });
    const guards = [says('first', true), says('second', false), says('third', true)];
    const { url } = await startLiveApp({ platform, guards });
    expect((await refusalOf(url)).statusCode).toBe(403);
    expect(asked).toEqual(['first', 'second']);
  });

  it('[L-1.6] a guard reads metadata of the gateway and of its handleUpgrade through Reflector', async () => {
    @Injectable()
    class RolesGuard implements CanActivate {
      constructor(private readonly reflector: Reflector) {}

      canActivate(context: ExecutionContext): boolean {
        const role = context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers[
          'x-role'
        ];
        const roles = this.reflector.get<string[]>('roles', context.getHandler());
        const area = this.reflector.get<string>('area', context.getClass());
        if (!roles.includes(role ?? '')) throw new ForbiddenException(`Not for you in ${area}`);
        return true;
      }
    }
    @SetMetadata('area', 'the depot')
    class DepotGateway extends LiveGateway {
      @SetMetadata('roles', ['driver'])
      override handleUpgrade(...args: Parameters<LiveGateway['handleUpgrade']>): void {
        super.handleUpgrade(...args);
      }
    }
    const { url } = await startLiveApp({ platform, guards: [RolesGuard], gateway: DepotGateway });
    const client = await LiveTestClient.connect(url, { headers: { 'x-role': 'driver' } });
    expect(await client.next()).toMatchObject({ type: 'welcome' });
    const { statusCode, body } = await refusalOf(url, { headers: { 'x-role': 'guest' } });
    expect([statusCode, body]).toEqual([
      403,
      { statusCode: 403, error: 'Forbidden', message: 'Not for you in the depot' },
    ]);
  });

  it('[L-1.6] guards on handleUpgrade of a gateway are connection guards and run before those of forRoot', async () => {
    const asked: string[] = [];
    const yes = (name: string) => guard(() => asked.push(name) > 0);
    class OwnGateway extends LiveGateway {
      @UseGuards(yes('its own'))
      override handleUpgrade(...args: Parameters<LiveGateway['handleUpgrade']>): void {
        super.handleUpgrade(...args);
      }
    }
    const alone = await startLiveApp({ platform, guards: [], gateway: OwnGateway });
    await LiveTestClient.connect(alone.url);
    const both = await startLiveApp({ platform, guards: [yes('of forRoot')], gateway: OwnGateway });
    await LiveTestClient.connect(both.url);
    expect(asked).toEqual(['its own', 'its own', 'of forRoot']);
  });

  it('[L-1.6] handleUpgrade of a gateway runs after the guards and can refuse', async () => {
    const ran: string[] = [];
    class AuditGateway extends LiveGateway {
      override handleUpgrade(...[request]: Parameters<LiveGateway['handleUpgrade']>): void {
        ran.push(`upgrade ${request.url ?? ''}`);
        if (request.url?.endsWith('no')) throw new ForbiddenException('Not today');
      }
    }
    const first = guard(() => ran.push('guard') > 0);
    const { url } = await startLiveApp({ platform, guards: [first], gateway: AuditGateway });
    ran.splice(0);
    await LiveTestClient.connect(url);
    expect((await refusalOf(`${url}?no`)).body).toMatchObject({ message: 'Not today' });
    const path = onStreams ? '/live/events' : '/live';
    expect(ran).toEqual(['guard', `upgrade ${path}`, 'guard', `upgrade ${path}?no`]);
  });

  it('[L-1.6] a guard is not asked before the first handshake', async () => {
    const asked: string[] = [];
    const { url } = await startLiveApp({ platform, guards: [guard(() => asked.push('own') > 0)] });
    expect(asked).toEqual([]);
    await LiveTestClient.connect(url);
    expect(asked).toEqual(['own']);
  });

  it('[L-1.6] global guards run first, from APP_GUARD and from useGlobalGuards()', async () => {
    const asked: string[] = [];
    const named = (name: string) =>
      guard((context) => {
        asked.push(`${name} ${context.getType()}`);
        const { url } = context.switchToHttp().getRequest<{ url: string }>();
        return !url.endsWith(name);
      });
    const { url } = await startLiveApp({
      platform,
      guards: [named('own')],
      providers: [OpenTopics, { provide: APP_GUARD, useClass: named('app') }],
      before: (app) => app.useGlobalGuards(new (named('global'))()),
    });
    await LiveTestClient.connect(url);
    expect(asked.splice(0).toSorted()).toEqual(['app http', 'global http', 'own http']);
    for (const name of ['app', 'global']) {
      expect((await refusalOf(`${url}?${name}`)).body).toEqual(forbiddenBody);
      expect(asked.splice(0)).not.toContain('own http');
    }
  });

  it('[L-1.6] overrideGuard() replaces a connection guard in a test', async () => {
    const no = guard(() => false);
    const { url } = await startLiveApp({
      platform,
      guards: [no],
      override: (builder) => builder.overrideGuard(no).useValue({ canActivate: () => true }),
    });
    const client = await LiveTestClient.connect(url);
    expect(await client.next()).toMatchObject({ type: 'welcome' });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('database secret');
      },
      503,
    ],
    ['rejects', () => Promise.reject(new Error('database secret')), 503],
    [
      'throws a value that is no Error',
      () => {
        throw 'database secret';
      },
      503,
    ],
    ['never answers', () => new Promise<boolean>(() => {}), 503],
    ['completes without a value', () => EMPTY, 503],
    ['returns nothing', () => undefined as unknown as boolean, 403],
    ['resolves to nothing', () => Promise.resolve(undefined as unknown as boolean), 403],
    ['returns null', () => null as unknown as boolean, 403],
  ] as const)(
    '[L-1.10] a guard that %s denies the handshake, and its error is not sent',
    async (_what, canActivate, status) => {
      const { app, url } = await startLiveApp({
        platform,
        guards: [guard(canActivate as Asked)],
        options: { upgradeTimeoutMs: 50 },
      });
      const { statusCode, headers, body } = await refusalOf(url);
      expect(statusCode).toBe(status);
      expect(headers['retry-after']).toBe(status === 503 ? '1' : undefined);
      expect(JSON.stringify([headers, body])).not.toContain('secret');
      expect(app.get(ConnectionRegistry).size).toBe(0);
    },
  );

  it('[L-1.10] a guard that allows the handshake after the timeout still denies it', async () => {
    let say: (yes: boolean) => void = () => {};
    const answer = new Promise<boolean>((resolve) => {
      say = resolve;
    });
    const { app, url } = await startLiveApp({
      platform,
      guards: [guard(() => answer)],
      options: { upgradeTimeoutMs: 50 },
    });
    const peer = await RawPeer.connect(url);
    peer.upgrade('/live');
    await peer.until('503 Service Unavailable');
    say(true);
    await peer.closed;
    expect(peer.received).not.toContain('101');
    expect(app.get(ConnectionRegistry).size).toBe(0);
  });

  it.each([302, undefined, Number.NaN, 403.5])(
    '[L-1.6] an HTTP exception with the status %s, which is no refusal, becomes a 503',
    async (status) => {
      const { url } = await startLiveApp({
        platform,
        guards: [
          guard(() => {
            throw new HttpException('No', status as number);
          }),
        ],
      });
      expect((await refusalOf(url)).statusCode).toBe(503);
    },
  );

  it('[L-1.4] the guards of one application do not apply to another application in the process', async () => {
    const open = await startLiveApp({ platform, guards: [guard(() => true)] });
    const closed = await startLiveApp({ platform, guards: [guard(() => false)] });
    expect((await refusalOf(closed.url)).statusCode).toBe(403);
    await LiveTestClient.connect(open.url);
  });
});
