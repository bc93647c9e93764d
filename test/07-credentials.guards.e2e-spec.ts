import {
  type CanActivate,
  type ExecutionContext,
  ForbiddenException,
  HttpException,
  Injectable,
} from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import {
  JwtConnectionGuard,
  LiveTopic,
  type LiveUser,
  SessionConnectionGuard,
  setConnectionIdentity,
} from '../src/index.js';
import { connectionIdentityOf } from '../src/nest/auth/connection-identity.js';
import { LiveTestClient } from '../src/testing/index.js';
import { itOnSockets } from './support/door.js';
import { type LiveAppOptions, type Platform, platforms, startLiveApp } from './support/live-app.js';
import { serveJson } from './support/serve-json.js';

const secret = 'the-secret-of-these-tests-is-long-enough';
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function jwt(claims: object): string {
  const text = `${part({ alg: 'HS256' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

const soon = (seconds: number): number => Math.floor(Date.now() / 1_000) + seconds;

/** One call of the guard, for a handshake or a renewal. */
interface Seen {
  readonly token: string | undefined;
  readonly tenant: string | undefined;
  readonly ip: string;
}

/** A guard behind the token guard: it bans users, and adds a tenant that only it knows. */
function denyList() {
  const denied = new Map<string, HttpException>();
  const seen: Seen[] = [];
  @Injectable()
  class DenyList implements CanActivate {
    canActivate(context: ExecutionContext): boolean {
      const http = context.switchToHttp();
      const request = http.getRequest<{ headers: Record<string, string>; ip: string }>();
      const identity = connectionIdentityOf(request);
      seen.push({
        token: request.headers['authorization'],
        tenant: request.headers['x-tenant'],
        ip: request.ip,
      });
      const refusal = denied.get(identity?.user?.id ?? '');
      if (refusal?.getStatus() === 429)
        http.getResponse<{ header(n: string, v: string): void }>().header('Retry-After', '7');
      if (refusal) throw refusal;
      setConnectionIdentity(request, {
        ...identity,
        user: { ...(identity?.user as LiveUser), tenant: 'north' },
      });
      return true;
    }
  }
  return { DenyList, denied, seen };
}

@LiveTopic('rooms/:room')
class NorthernRooms {
  canSubscribe(user: LiveUser | null): boolean {
    return user?.['tenant'] === 'north';
  }
}

async function connect(platform: Platform, guards: LiveAppOptions['guards'], token: string, headers = {}) {
  const app = await startLiveApp({
    platform,
    ...(guards && { guards }),
    options: { jwt: { secret } },
    providers: [NorthernRooms],
  });
  const client = await LiveTestClient.connect(app.url, { token, headers });
  await client.next();
  return { ...app, client };
}

const forbidden = (id: number) => ({
  type: 'error',
  id,
  code: 'forbidden',
  message: 'This credential is not valid here',
});

describe.each(platforms)('7. Credentials and all guards, on %s', (_name, platform) => {
  it('[L-7.7] a renewal keeps what another guard adds to the user, and the rights that depend on it', async () => {
    const { DenyList } = denyList();
    const { client, live } = await connect(
      platform,
      [JwtConnectionGuard, DenyList],
      jwt({ sub: 'ann', exp: soon(60) }),
    );
    await client.request({ type: 'subscribe', id: 1, topic: 'rooms/1' });
    const expiresAt = soon(3_600) * 1_000;
    const answer = await client.request({
      type: 'auth',
      id: 2,
      token: jwt({ sub: 'ann', exp: expiresAt / 1_000 }),
    });
    expect(answer).toMatchObject({ type: 'authenticated', id: 2, expiresAt });
    await live.publish('rooms/1', 'still here');
    expect(await client.next()).toMatchObject({ type: 'event', data: 'still here' });
    expect(await client.request({ type: 'subscribe', id: 3, topic: 'rooms/2' })).toMatchObject({
      type: 'subscribed',
    });
  });

  // On streams the guards decide about the POST first, and answer it over HTTP [L-12.7].
  itOnSockets(
    '[L-7.7] a renewal is forbidden if another guard now refuses the user, and the old credential stays valid',
    async () => {
      const { DenyList, denied } = denyList();
      const { client } = await connect(
        platform,
        [JwtConnectionGuard, DenyList],
        jwt({ sub: 'ann', exp: soon(60) }),
      );
      denied.set('ann', new ForbiddenException('banned'));
      const token = jwt({ sub: 'ann', exp: soon(3_600) });
      expect(await client.request({ type: 'auth', id: 1, token })).toEqual(forbidden(1));
      expect(await client.request({ type: 'subscribe', id: 2, topic: 'rooms/1' })).toMatchObject({
        type: 'subscribed',
      });
      denied.clear();
      expect(await client.request({ type: 'auth', id: 3, token })).toMatchObject({ type: 'authenticated' });
    },
  );

  itOnSockets(
    '[L-7.7] guards see the original headers and address in a renewal, with the new token instead of the old',
    async () => {
      const { DenyList, seen } = denyList();
      const [first, second] = [jwt({ sub: 'ann', exp: soon(60) }), jwt({ sub: 'ann', exp: soon(61) })];
      const headers = { 'x-tenant': 'north' };
      const { client } = await connect(platform, [JwtConnectionGuard, DenyList], first, headers);
      await client.request({ type: 'auth', id: 1, token: second });
      expect(seen).toEqual(
        [first, second].map((token) => ({ token: `Bearer ${token}`, tenant: 'north', ip: '127.0.0.1' })),
      );
    },
  );

  itOnSockets('[L-7.7] a renewal that a guard answers with 429 or 503 gets a retry delay', async () => {
    const { DenyList, denied } = denyList();
    const { client } = await connect(
      platform,
      [JwtConnectionGuard, DenyList],
      jwt({ sub: 'ann', exp: soon(60) }),
    );
    const token = jwt({ sub: 'ann', exp: soon(3_600) });
    denied.set('ann', new HttpException('slowly', 429));
    expect(await client.request({ type: 'auth', id: 1, token })).toMatchObject({
      code: 'rate-limited',
      retryAfterMs: 7_000,
    });
    denied.set('ann', new HttpException('the store is away', 503));
    expect(await client.request({ type: 'auth', id: 2, token })).toMatchObject({
      code: 'unavailable',
      retryAfterMs: 1_000,
    });
  });

  itOnSockets(
    '[L-7.7] a subclass of the token guard that refuses more in canActivate also refuses renewals',
    async () => {
      const banned = new Set<string>();
      @Injectable()
      class StrictJwtGuard extends JwtConnectionGuard {
        override async canActivate(context: ExecutionContext): Promise<boolean> {
          await super.canActivate(context);
          const id = connectionIdentityOf(context.switchToHttp().getRequest())?.user?.id ?? '';
          return !banned.has(id);
        }
      }
      const { client } = await connect(platform, [StrictJwtGuard], jwt({ sub: 'ann', exp: soon(60) }));
      const token = jwt({ sub: 'ann', exp: soon(3_600) });
      expect(await client.request({ type: 'auth', id: 1, token })).toMatchObject({ type: 'authenticated' });
      banned.add('ann');
      expect(await client.request({ type: 'auth', id: 2, token })).toEqual(forbidden(2));
    },
  );

  itOnSockets('[L-7.7] a renewal is forbidden if a guard names a different user than the token', async () => {
    @Injectable()
    class EverybodyIsBob implements CanActivate {
      static asked = 0;
      canActivate(context: ExecutionContext): boolean {
        if (EverybodyIsBob.asked++ > 0)
          setConnectionIdentity(context.switchToHttp().getRequest(), { user: { id: 'bob' } });
        return true;
      }
    }
    const { client } = await connect(
      platform,
      [JwtConnectionGuard, EverybodyIsBob],
      jwt({ sub: 'ann', exp: soon(60) }),
    );
    expect(await client.request({ type: 'auth', id: 1, token: jwt({ sub: 'ann', exp: soon(90) }) })).toEqual(
      forbidden(1),
    );
    expect(await client.request({ type: 'auth', id: 2, token: jwt({ sub: 'bob', exp: soon(90) }) })).toEqual(
      forbidden(2),
    );
  });

  itOnSockets(
    '[L-7.6] [L-7.7] every guard checks a session again, and the session keeps what each of them adds',
    async () => {
      const { DenyList, denied, seen } = denyList();
      const ends = { inMs: 3_000 };
      const backend = await serveJson(() => ({
        status: 200,
        body: { id: 'ann', expiresAt: Date.now() + ends.inMs },
      }));
      const page = 'https://app.example';
      const { url } = await startLiveApp({
        platform,
        guards: [SessionConnectionGuard, DenyList],
        options: { session: { url: backend.url, cacheMs: 0 }, allowedOrigins: [page] },
        providers: [NorthernRooms],
      });
      const headers = { cookie: 'sid=1', origin: page, 'x-tenant': 'north' };
      const client = await LiveTestClient.connect(url, { headers });
      await client.next();
      expect(await client.next()).toMatchObject({ type: 'authenticated' });
      expect(seen.slice(0, 2)).toEqual(
        [1, 2].map(() => ({ token: undefined, tenant: 'north', ip: '127.0.0.1' })),
      );
      expect(await client.request({ type: 'subscribe', id: 1, topic: 'rooms/1' })).toMatchObject({
        type: 'subscribed',
      });
      denied.set('ann', new ForbiddenException('banned'));
      const before = seen.length;
      await vi.waitFor(() => expect(seen.length).toBeGreaterThan(before + 1), 5_000);
      // The backend renewed the session both times, and the deny list refused it.
      expect(client.transcript.filter(({ type }) => type === 'authenticated')).toHaveLength(before - 1);
    },
  );
});
