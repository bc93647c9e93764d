import { Injectable } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { Strategy } from 'passport-http-bearer';
import { describe, expect, it } from 'vitest';
import { ConnectionRegistry } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { refusalOf } from './support/refusal-of.js';

@Injectable()
class BearerStrategy extends PassportStrategy(Strategy, 'bearer') {
  validate(token: string): object | false {
    return token === 't-1' ? { id: 7, name: 'Ann' } : false;
  }
}

describe.each(platforms)('Guards of other libraries before the 101, on %s', (_name, platform) => {
  it("[L-1.6] passport's AuthGuard decides, and its user is the connection's", async () => {
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

  it('[L-1.9] ThrottlerGuard answers 429 with its Retry-After and its limits', async () => {
    const { url } = await startLiveApp({
      platform,
      guards: [ThrottlerGuard, BearerIsUser],
      imports: [ThrottlerModule.forRoot([{ ttl: 60_000, limit: 2 }])],
    });
    await LiveTestClient.connect(url, { token: 'ann' });
    // A refusal of a later guard has the throttler's headers, too.
    const unauthorised = await refusalOf(url);
    expect(unauthorised.statusCode).toBe(401);
    expect(unauthorised.headers['x-ratelimit-remaining']).toBe('0');
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
});
