import { describe, expect, it } from 'vitest';
import { addressesOf, bannerOf } from './addresses.js';
import { liveOptionsOf } from './live-options.js';
import { planServer, type ServerPlan } from './server-plan.js';
import { type Environment, readSettings } from './settings/read-settings.js';

const secret = 'x'.repeat(32);

function planOf(environment: Environment): Promise<ServerPlan> {
  const { settings, problems } = readSettings(environment);
  expect(problems).toEqual([]);
  return planServer(settings);
}

describe('planServer', () => {
  it('development mode generates a secret, a publish key and origins, new ones at each start', async () => {
    const [one, other] = [await planOf({}), await planOf({})];
    expect(one).toMatchObject({ development: true, demo: true, httpPort: 9090 });
    expect(one.allowedOrigins).toEqual(['http://127.0.0.1:9090', 'http://localhost:9090']);
    expect(one.jwtSecret).toHaveLength(43);
    expect(one.publishKey).toHaveLength(32);
    expect([one.jwtSecret, one.publishKey]).not.toEqual([other.jwtSecret, other.publishKey]);
  });

  it('the HTTP port is known before the server listens, because it is part of the origin', async () => {
    const { httpPort, allowedOrigins } = await planOf({ HTTP_PORT: '0' });
    expect(httpPort).toBeGreaterThan(1_023);
    expect(allowedOrigins).toContain(`http://localhost:${String(httpPort)}`);
  });

  it('origins are written as browsers send them', async () => {
    expect((await planOf({ HTTP_HOST: '::1', HTTP_PORT: '80' })).allowedOrigins).toEqual([
      'http://127.0.0.1',
      'http://localhost',
      'http://[::1]',
    ]);
  });

  it("the server's own page stays among the origins that are configured in development", async () => {
    const { allowedOrigins } = await planOf({ LIVE_ALLOWED_ORIGINS: 'http://localhost:5173' });
    expect(allowedOrigins).toEqual([
      'http://127.0.0.1:9090',
      'http://localhost:9090',
      'http://localhost:5173',
    ]);
  });

  it('nothing is generated if a source of credentials is configured', async () => {
    expect(await planOf({ LIVE_JWKS_URL: 'https://keys.example/jwks' })).toMatchObject({
      development: false,
      demo: false,
      jwtSecret: undefined,
      publishKey: undefined,
      allowedOrigins: undefined,
    });
    expect(await planOf({ LIVE_JWT_SECRET: secret, LIVE_DEMO: 'true' })).toMatchObject({
      development: false,
      demo: true,
      jwtSecret: secret,
    });
  });

  it('the default instance id has the host name and the process id', async () => {
    expect((await planOf({})).instanceId).toMatch(new RegExp(`^[\\w.:-]+-${String(process.pid)}$`));
    expect((await planOf({ INSTANCE_ID: 'node-1' })).instanceId).toBe('node-1');
  });
});

describe('liveOptionsOf', () => {
  it('[S17] every socket setting is passed to the module', async () => {
    const plan = await planOf({
      INSTANCE_ID: 'node-1',
      LIVE_WS_HOST: '0.0.0.0',
      LIVE_WS_PORT: '1',
      LIVE_WS_PATH: '/x',
      LIVE_WS_PING_INTERVAL_MS: '11',
      LIVE_WS_PONG_TIMEOUT_MS: '12',
      LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES: '13',
      LIVE_WS_DRAIN_TIMEOUT_MS: '14',
      LIVE_DRAIN_WINDOW_MS: '19',
      LIVE_DRAIN_NOTICE_MS: '20',
      LIVE_MAX_SNAPSHOT_BYTES: '18',
      LIVE_MAX_CONNECTIONS: '15',
      LIVE_MAX_CONNECTIONS_PER_USER: '16',
      LIVE_MAX_CONNECTIONS_PER_ADDRESS: '17',
      LIVE_TRUSTED_PROXIES: '10.0.0.0/8',
      LIVE_ALLOWED_ORIGINS: 'https://app.example',
      LIVE_REQUIRE_ORIGIN: 'true',
      LIVE_SSE: 'true',
      LIVE_PROXY_PROTOCOL: 'true',
      LIVE_JWKS_URL: 'https://keys.example/jwks',
      LIVE_JWT_ISSUER: 'i',
      LIVE_JWT_AUDIENCE: 'a',
    });
    const { guards, ...options } = liveOptionsOf(plan);
    expect(guards.map(({ name }) => name)).toEqual(['JwtConnectionGuard']);
    expect(options).toEqual({
      host: '0.0.0.0',
      port: 1,
      path: '/x',
      instanceId: 'node-1',
      pingIntervalMs: 11,
      pongTimeoutMs: 12,
      backPressureThresholdBytes: 13,
      drainTimeoutMs: 14,
      drainWindowMs: 19,
      drainNoticeMs: 20,
      maxSnapshotBytes: 18,
      maxConnections: 15,
      maxConnectionsPerUser: 16,
      maxConnectionsPerAddress: 17,
      trustedProxies: ['10.0.0.0/8'],
      allowedOrigins: ['https://app.example'],
      proxyProtocol: true,
      requireOrigin: true,
      sse: true,
      jwt: {
        jwksUrl: 'https://keys.example/jwks',
        issuer: 'i',
        audience: 'a',
        cookieName: 'live_token',
        requireExpiry: false,
      },
    });
  });

  it('[S4] LIVE_WS_SOCKET_PATH replaces host and port', async () => {
    const { socketPath, host, port } = liveOptionsOf(await planOf({ LIVE_WS_SOCKET_PATH: '/run/live.sock' }));
    expect([socketPath, host, port]).toEqual(['/run/live.sock', undefined, undefined]);
  });

  it('LIVE_SESSION_URL selects the session backend', async () => {
    const plan = await planOf({
      LIVE_SESSION_URL: 'https://app.example/me',
      LIVE_ALLOWED_ORIGINS: 'https://app.example',
    });
    const { guards, session, jwt } = liveOptionsOf(plan);
    expect([guards.map(({ name }) => name), session, jwt]).toEqual([
      ['SessionConnectionGuard'],
      { url: 'https://app.example/me' },
      undefined,
    ]);
  });
});

describe('addressesOf', () => {
  it('the printed addresses can be opened even if the server listens on all addresses', async () => {
    const plan = await planOf({ LIVE_JWT_SECRET: secret, HTTP_HOST: '::', LIVE_WS_HOST: '0.0.0.0' });
    expect(addressesOf(plan, 9090, 'ws://0.0.0.0:8081/live')).toEqual({
      page: 'http://[::1]:9090/',
      sockets: 'ws://127.0.0.1:8081/live',
      health: 'http://[::1]:9090/health/live and http://[::1]:9090/health/ready',
      metrics: 'http://[::1]:9090/metrics',
      publish: 'off: LIVE_PUBLISH_KEY is not set',
    });
  });

  it('a Unix socket is printed in the syntax of the ws package', async () => {
    const url = 'ws+unix:/run/live.sock:/live';
    expect(addressesOf(await planOf({ LIVE_WS_SOCKET_PATH: '/run/live.sock' }), 9090, url).sockets).toBe(url);
  });

  it('a configured publish key is never printed', async () => {
    const plan = await planOf({ LIVE_JWT_SECRET: secret, LIVE_PUBLISH_KEY: 'canary' });
    expect(bannerOf(addressesOf(plan, 9090, 'ws://127.0.0.1:8081/live'), plan)).not.toContain('canary');
  });
});
