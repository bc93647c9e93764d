import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  type ConnectionIdentity,
  credentialOf,
  LiveTopic,
  type LiveUser,
  setConnectionIdentity,
} from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import {
  type LiveAppOptions,
  OpenTopics,
  type Platform,
  platforms,
  startLiveApp,
} from './support/live-app.js';
import { ShiftedClock } from './support/shifted-clock.js';

const start = Date.now();

/**
 * Accepts tokens `<user>-<fleet>` and `<user>-<fleet>-<seconds to live>`, and renews them on an
 * open connection.
 */
@Injectable()
class TokenGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<Parameters<typeof credentialOf>[0] & object>();
    setConnectionIdentity(request, await this.verify(credentialOf(request)?.token ?? ''));
    return true;
  }

  verify(token: string): Promise<ConnectionIdentity> {
    const [id = '', fleet, seconds] = token.split('-');
    if (id === 'away') throw new ServiceUnavailableException('the issuer is away');
    if (id === '' || fleet === undefined) throw new UnauthorizedException();
    const user = { id, fleet };
    return Promise.resolve(
      seconds === undefined ? { user } : { user, expiresAt: start + Number(seconds) * 1_000 },
    );
  }
}

/** `fleet/:fleet`: readable by users of this fleet, according to their current credential. */
@LiveTopic('fleet/:fleet')
class FleetTopics {
  canSubscribe(user: LiveUser | null, { fleet }: { readonly fleet: string }): boolean {
    return user?.['fleet'] === fleet;
  }
}

async function connect(platform: Platform, token: string, setup: LiveAppOptions = {}) {
  const providers = [OpenTopics, FleetTopics];
  const app = await startLiveApp({ platform, guards: [TokenGuard], providers, ...setup });
  const client = await LiveTestClient.connect(app.url, { token });
  await client.next();
  return { ...app, client };
}

const epoch = expect.any(String) as unknown as string;
const subscribed = (topic: string) => ({ type: 'subscribed', topic, epoch, offset: 0, recovered: false });
const event = (topic: string, offset: number, data: unknown) => ({ type: 'event', topic, offset, data });
const error = (code: string, message: string, id: number) => ({ type: 'error', id, code, message });
const revoked = (topic: string) => ({
  type: 'unsubscribed',
  topic,
  code: 'forbidden',
  reason: 'the right to read it has ended',
});

describe.each(platforms)('7. Credentials, on %s', (_name, platform) => {
  it('[L-7.1] an open connection accepts a new credential, and the answer says when it expires', async () => {
    const { client } = await connect(platform, 'ann-7');
    client.send({ type: 'auth', id: 1, token: 'ann-7-3600' });
    client.send({ type: 'auth', token: 'ann-7' });
    expect(await client.settle()).toEqual([
      {
        type: 'authenticated',
        id: 1,
        expiresAt: start + 3_600_000,
        expiresInMs: expect.any(Number) as number,
      },
      { type: 'authenticated' },
    ]);
  });

  it.each(['', 'x'.repeat(16_385), 7, null, undefined])(
    '[L-7.1] a token that is no string of 1 to 16,384 characters gets a violation',
    async (token) => {
      const { client } = await connect(platform, 'ann-7');
      client.send({ type: 'auth', id: 1, token });
      const words = expect.stringContaining('token') as unknown as string;
      expect(await client.settle()).toEqual([error('protocol-violation', words, 1)]);
    },
  );

  it("[L-7.2] an invalid credential and another user's credential get the same answer, and the previous one stays valid", async () => {
    const { client } = await connect(platform, 'ann-7');
    client.send({ type: 'auth', id: 1, token: 'bad' });
    client.send({ type: 'auth', id: 2, token: 'bob-7' });
    client.send({ type: 'auth', id: 3, token: 'away' });
    client.send({ type: 'subscribe', topic: 'fleet/7' });
    const [, , unavailable] = await client.settle();
    expect(unavailable).toMatchObject({ code: 'unavailable', id: 3, retryAfterMs: 1_000 });
    expect(client.transcript.slice(1, -1)).toEqual([
      error('forbidden', 'This credential is not valid here', 1),
      error('forbidden', 'This credential is not valid here', 2),
      unavailable,
      subscribed('fleet/7'),
    ]);
    expect(JSON.stringify(unavailable)).not.toContain('issuer');
  });

  it('[L-7.3] a renewal authorizes every topic again before its answer, and ends the forbidden ones', async () => {
    const { client, live } = await connect(platform, 'ann-7');
    for (const topic of ['fleet/7', 'open/1']) client.send({ type: 'subscribe', topic });
    await client.settle();
    client.send({ type: 'auth', id: 1, token: 'ann-8' });
    expect(await client.settle()).toEqual([revoked('fleet/7'), { type: 'authenticated', id: 1 }]);
    for (const topic of ['fleet/7', 'open/1']) await live.publish(topic, 'after');
    client.send({ type: 'subscribe', topic: 'fleet/8' });
    expect(await client.settle()).toEqual([event('open/1', 1, 'after'), subscribed('fleet/8')]);
    expect(live.stats().subscriptions).toBe(2);
  });

  it('[L-3.9] a revoked right pushes unsubscribed without an id, with a code and a reason', async () => {
    const { client, live } = await connect(platform, 'ann-7');
    client.send({ type: 'subscribe', id: 1, topic: 'fleet/7' });
    await live.publish('fleet/7', 'while it may');
    await client.settle();
    client.send({ type: 'auth', id: 2, token: 'ann-8' });
    await client.settle();
    await live.publish('fleet/7', 'when it may not');
    await client.settle();
    expect(client.transcript.filter(({ topic }) => topic === 'fleet/7').slice(-1)).toEqual([
      revoked('fleet/7'),
    ]);
  });

  it('[L-7.4] a connection closes with 4501 when its credential has expired and the grace period is over', async () => {
    const clock = new ShiftedClock();
    const { client, url, live } = await connect(platform, 'ann-7-60', { override: clock.install });
    const tokens = ['dan-7-30', 'bob-7-30', 'cat-7'];
    const [dan, renewed, endless] = await Promise.all(
      tokens.map((token) => LiveTestClient.connect(url, { token })),
    );
    renewed?.send({ type: 'auth', token: 'bob-7-3600' });
    await renewed?.settle();
    // After 100 s, ann's credential has expired, but only dan's grace period of 60 s is over.
    clock.shiftMs += 100_000;
    expect(await dan?.closed).toEqual({ code: 4501, reason: 'credential expired' });
    client.send({ type: 'subscribe', topic: 'open/1' });
    expect(await client.settle()).toEqual([subscribed('open/1')]);
    clock.shiftMs += 30_000;
    expect(await client.closed).toEqual({ code: 4501, reason: 'credential expired' });
    await Promise.all([renewed?.settle(), endless?.settle()]);
    expect(live.stats().connections).toBe(2);
  });

  it('[L-7.5] an auth message gets not-implemented if no guard checks tokens', async () => {
    const { url } = await startLiveApp({ platform });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await client.next();
    client.send({ type: 'auth', id: 1, token: 'ann-7' });
    expect(await client.settle()).toEqual([error('not-implemented', 'Nothing handles this type', 1)]);
  });
});
