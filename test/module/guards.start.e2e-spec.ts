import { type CanActivate, Injectable, type Type, Scope } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import {
  LiveModule,
  type LiveModuleOptions,
  JwtConnectionGuard,
  SessionConnectionGuard,
} from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { BearerIsUser, OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { createHost, failureOf } from './support/host-app.js';
import { LogRecorder } from './support/log-recorder.js';

@Injectable({ scope: Scope.REQUEST })
class RequestGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestUsers {}

@Injectable()
class GuardOfRequestUsers implements CanActivate {
  constructor(readonly users: RequestUsers) {}

  canActivate(): boolean {
    return true;
  }
}

describe.each(platforms)('Guards at the start, on %s', (_name, platform) => {
  /** The error that a developer sees when the application does not start. */
  const startFailure = async (
    guards: readonly Type<CanActivate>[],
    options: LiveModuleOptions = {},
    providers: readonly Type[] = [],
  ): Promise<string> => {
    const imports = [{ module: class Host {}, providers: [...providers], exports: [...providers] }];
    return failureOf(
      createHost(platform, { imports: [LiveModule.forRoot({ port: 0, guards, imports, ...options })] }).then(
        (app) => app.init(),
      ),
    );
  };

  it('[S4] the application does not start without a guard, and the error names both fixes', async () => {
    expect(await startFailure([])).toBe(
      'LiveModule: no connection guard. Name one, LiveModule.forRoot({ guards: [JwtConnectionGuard], jwt: { … } }), ' +
        'or let everybody in with dangerouslyPublic: true.',
    );
  });

  it('[S4] the application does not start with a request-scoped guard', async () => {
    expect(await startFailure([RequestGuard])).toBe(
      'LiveModule: the guard RequestGuard is request-scoped; a connection guard must be a singleton.',
    );
  });

  it('[S4] the application does not start with a guard that injects a request-scoped provider', async () => {
    expect(await startFailure([GuardOfRequestUsers], {}, [RequestUsers])).toBe(
      'LiveModule: the guard GuardOfRequestUsers is request-scoped; a connection guard must be a singleton.',
    );
  });

  it('[S4] the application does not start with a request-scoped global guard', async () => {
    const app = await createHost(platform, {
      imports: [LiveModule.forRoot({ port: 0, guards: [BearerIsUser] })],
      providers: [{ provide: APP_GUARD, useClass: RequestGuard }],
    });
    expect(await failureOf(app.init())).toBe(
      'LiveModule: the guard RequestGuard is request-scoped; a connection guard must be a singleton.',
    );
  });

  it('[S4] dangerouslyPublic accepts everybody without a user and logs a warning', async () => {
    const log = new LogRecorder();
    const { url } = await startLiveApp({
      platform,
      guards: [],
      options: { dangerouslyPublic: true },
      before: log.use,
    });
    const client = await LiveTestClient.connect(url);
    expect(await client.next()).toMatchObject({ type: 'welcome', user: null });
    expect(log.live('warn')).toContain('dangerouslyPublic: everybody may connect.');
  });

  it('[L-9.10] dangerouslyUnlimitedInbound logs a warning', async () => {
    const log = new LogRecorder();
    await startLiveApp({ platform, options: { dangerouslyUnlimitedInbound: true }, before: log.use });
    expect(log.live('warn')).toContain(
      'dangerouslyUnlimitedInbound: every connection may send as fast as it can.',
    );
  });

  it('[L-9.14] an untrusted X-Forwarded-For header is logged once', async () => {
    const log = new LogRecorder();
    const { url } = await startLiveApp({ platform, before: log.use });
    const headers = { 'x-forwarded-for': '192.0.2.1' };
    for (let i = 0; i < 3; i++) await LiveTestClient.connect(url, { token: 'ann', headers });
    expect(log.live('warn').filter((text) => String(text).includes('X-Forwarded-For'))).toEqual([
      expect.stringContaining("trustedProxies: ['127.0.0.1']"),
    ]);
  });

  it('[S4] dangerouslyAllowAnyOrigin logs a warning', async () => {
    const log = new LogRecorder();
    await startLiveApp({ platform, options: { dangerouslyAllowAnyOrigin: true }, before: log.use });
    expect(log.live('warn')).toContain(
      "dangerouslyAllowAnyOrigin: any page may connect, with its visitors' cookies.",
    );
  });

  it('[S4] a safe configuration logs no warning about dangerous options', async () => {
    const log = new LogRecorder();
    await startLiveApp({ platform, providers: [OpenTopics], before: log.use });
    expect(JSON.stringify(log.live('warn'))).not.toContain('dangerously');
  });

  it('[S4] JwtConnectionGuard does not start without valid options, and the error names them', async () => {
    expect(await startFailure([JwtConnectionGuard])).toMatch(/"?jwt/);
    const both = { secret: 'x'.repeat(32), jwksUrl: 'https://issuer.example/jwks' };
    expect(await startFailure([JwtConnectionGuard], { jwt: both })).toMatch(/jwt.*secret|secret.*jwksUrl/);
    expect(await startFailure([JwtConnectionGuard], { jwt: { secret: 'short' } })).toMatch(/jwt\.secret.*32/);
    const insecure = { jwksUrl: 'http://issuer.example/jwks' };
    expect(await startFailure([JwtConnectionGuard], { jwt: insecure })).toMatch(/jwt\.jwksUrl.*https/);
    const none = { secret: 'x'.repeat(32), algorithms: ['none'] };
    expect(await startFailure([JwtConnectionGuard], { jwt: none })).toContain('jwt.algorithms');
  });

  it('[S4] a start error never quotes a secret', async () => {
    expect(await startFailure([JwtConnectionGuard], { jwt: { secret: 'hunter2' } })).not.toContain('hunter2');
  });

  it('[S4] SessionConnectionGuard does not start without its url or without allowedOrigins', async () => {
    const session = { url: 'http://127.0.0.1:1/me' };
    expect(await startFailure([SessionConnectionGuard], { allowedOrigins: [] })).toContain('session');
    expect(
      await startFailure([SessionConnectionGuard], { session: { url: 'me' }, allowedOrigins: [] }),
    ).toContain('session.url');
    expect(await startFailure([SessionConnectionGuard], { session })).toBe(
      'LiveModule: SessionConnectionGuard authenticates by cookie, which a browser sends for any page. Name the pages ' +
        "that may connect: allowedOrigins: ['https://app.example'].",
    );
  });

  it.each([
    ['https://app.example/', 'https://app.example'],
    ['app.example', 'https://'],
    ['*', 'each origin in full'],
    ['null', 'https'],
  ])(
    '[L-1.7] the application does not start with the allowed origin %j, and the error says what to write',
    async (origin, fix) => {
      const failure = await startFailure([RequestGuard], { allowedOrigins: [origin] });
      expect(failure).toContain('allowedOrigins');
      expect(failure).toContain(fix);
    },
  );
});
