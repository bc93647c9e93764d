import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Environment, readSettings } from './read-settings.js';

const production = { NODE_ENV: 'production', LIVE_JWT_SECRET: 'x'.repeat(32) };
const problemsOf = (environment: Environment): readonly string[] => readSettings(environment).problems;

describe('readSettings', () => {
  it('[S17] every setting has a default in development', () => {
    const { settings, problems, warnings } = readSettings({ PATH: '/bin' });
    expect([problems, warnings]).toEqual([[], []]);
    expect({ ...settings }).toMatchObject({
      LIVE_WS_HOST: '127.0.0.1',
      LIVE_WS_PORT: 8081,
      LIVE_WS_PATH: '/live',
      LIVE_WS_PING_INTERVAL_MS: 25_000,
      LIVE_WS_PONG_TIMEOUT_MS: 10_000,
      LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES: 1_048_576,
      LIVE_WS_DRAIN_TIMEOUT_MS: 20_000,
      LIVE_DRAIN_WINDOW_MS: 10_000,
      LIVE_DRAIN_NOTICE_MS: 0,
      LIVE_COOKIE_NAME: 'live_token',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: 9090,
      LOG_LEVEL: 'info',
      LIVE_HISTORY_SIZE: 100,
      LIVE_HISTORY_TTL_MS: 300_000,
      LIVE_MAX_SNAPSHOT_BYTES: 33_554_432,
      LIVE_MAX_CONNECTIONS: 0,
      LIVE_MAX_CONNECTIONS_PER_USER: 0,
      LIVE_MAX_CONNECTIONS_PER_ADDRESS: 0,
    });
  });

  it('the texts of the environment are converted to values', () => {
    const { settings, problems } = readSettings({
      ...production,
      LIVE_WS_PORT: '0',
      LIVE_ALLOWED_ORIGINS: 'https://app.example, http://localhost:5173',
      LIVE_DEMO: 'true',
    });
    expect(problems).toEqual([]);
    expect({ ...settings }).toMatchObject({
      LIVE_WS_PORT: 0,
      LIVE_ALLOWED_ORIGINS: ['https://app.example', 'http://localhost:5173'],
      LIVE_DEMO: true,
    });
  });

  it('[L-1.6] LIVE_JWT_PUBLIC_KEY accepts PEM on one line and a JWK, and an invalid one is not shown', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string;
    for (const text of [
      pem,
      pem.replaceAll('\n', '\\n'),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
    ]) {
      expect(readSettings({ LIVE_JWT_PUBLIC_KEY: text }).problems).toEqual([]);
    }
    const wrong = [
      privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
      '{"kty":"canary"',
      'canary',
    ];
    for (const text of wrong) {
      const [problem = ''] = readSettings({ LIVE_JWT_PUBLIC_KEY: text }).problems;
      expect(problem).toContain('LIVE_JWT_PUBLIC_KEY');
      expect(problem).not.toContain(text.slice(30, 60) || 'canary');
    }
  });

  it('[L-1.6] LIVE_JWT_SECRET_PREVIOUS without LIVE_JWT_SECRET is a contradiction', () => {
    const { problems } = readSettings({ LIVE_JWT_SECRET_PREVIOUS: 'x'.repeat(32) });
    expect(problems.join()).toContain('LIVE_JWT_SECRET_PREVIOUS is set without LIVE_JWT_SECRET');
  });

  it.each([
    ['0', 0],
    ['2', 2],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['192.0.2.1, fd00::/8', ['192.0.2.1', 'fd00::/8']],
  ])('[L-9.14] LIVE_TRUSTED_PROXIES=%s is accepted', (text, value) => {
    const { settings, problems } = readSettings({ LIVE_TRUSTED_PROXIES: text });
    expect([problems, settings.LIVE_TRUSTED_PROXIES]).toEqual([[], value]);
  });

  it.each([
    ['LIVE_WS_PORT', '80 81'],
    ['LIVE_WS_PORT', '0x1f90'],
    ['LIVE_WS_PATH', 'live'],
    ['LIVE_WS_PATH', '/live/'],
    ['LIVE_WS_PONG_TIMEOUT_MS', '9'],
    ['LIVE_ALLOWED_ORIGINS', 'https://app.example/'],
    ['LIVE_ALLOWED_ORIGINS', '*'],
    ['LIVE_ALLOWED_ORIGINS', 'https://app.example,'],
    ['LIVE_JWKS_URL', 'http://keys.example/jwks'],
    ['LIVE_JWKS_URL', 'keys.example'],
    ['LIVE_SESSION_URL', 'ftp://app.example'],
    ['LIVE_JWT_ISSUER', ''],
    ['LOG_LEVEL', 'INFO'],
    ['LIVE_HISTORY_SIZE', '-1'],
    ['LIVE_MAX_VERSION_AHEAD_MS', 'soon'],
    ['LIVE_MAX_CONNECTIONS', 'many'],
    ['LIVE_TRUSTED_PROXIES', '11'],
    ['LIVE_TRUSTED_PROXIES', ''],
    ['LIVE_TRUSTED_PROXIES', 'proxy.example'],
    ['LIVE_TRUSTED_PROXIES', '10.0.0.0/8,'],
    ['LIVE_TRUSTED_PROXIES', '0.0.0.0/0'],
    ['LIVE_MAX_SNAPSHOT_BYTES', '0'],
    ['LIVE_WS_SOCKET_PATH', 'live.sock'],
    ['LIVE_WS_SOCKET_PATH', '/run/a:b'],
    ['LIVE_WS_SOCKET_PATH', `/${'x'.repeat(78)}é`],
    ['LIVE_DEMO', 'yes'],
  ])('%s=%s is rejected with a message that says what is allowed', (name, value) => {
    const [problem, ...more] = problemsOf({ [name]: value });
    expect(more).toEqual([]);
    expect(problem).toMatch(new RegExp(`^${name} is (empty|".*"), but must be .+; or remove it\\.$`));
    if (value !== '') expect(problem).toContain(JSON.stringify(value));
  });

  it.each([
    'redis://cache',
    'rediss://ann:p%40ss@cache.example:6380/3',
    'redis://one:7000, redis://two:7000',
    'redis+sentinel://ann:p%40ss@one:26379,two:26379/main/3',
    'rediss+sentinel://one/main',
    'nats://ann:p%40ss@queue.example',
    'tls://token@one:4222,tls://token@two:4222',
  ])('LIVE_BROKER_URL=%s is accepted', (LIVE_BROKER_URL) => {
    const { settings, problems } = readSettings({ LIVE_BROKER_URL });
    expect([problems, settings.LIVE_BROKER_URL]).toEqual([[], LIVE_BROKER_URL]);
  });

  it.each([
    'canary',
    'http://ann:canary@cache',
    'canary://cache',
    'redis://ann:canary@cache/three',
    'redis://ann:canary@cache,',
    'redis://canary@one,rediss://canary@two',
    'redis+sentinel://ann:canary@one:26379,two:26379',
    'redis://canary@one,redis+sentinel://canary@two/main',
    'constructor:canary',
    'nats://ann:canary@queue/path',
    'nats://canary@one,tls://canary@two',
  ])('LIVE_BROKER_URL=%s is rejected without being shown', (LIVE_BROKER_URL) => {
    const [problem, ...more] = problemsOf({ LIVE_BROKER_URL });
    expect(more).toEqual([]);
    expect(problem).toMatch(/^LIVE_BROKER_URL is a secret of \d+ bytes, but must be redis:\/\//);
    expect(problem).not.toContain('canary');
  });

  it('a message shows the length of a secret instead of the secret', () => {
    const secrets = {
      LIVE_JWT_SECRET: 'canary-1',
      LIVE_PUBLISH_KEY: 'canary 2',
      LIVE_BROKER_URL: 'canary 3',
    };
    const text = problemsOf({ ...secrets, LIVE_SESSION_URL: 'http://bob:canary@app.example/' }).join('\n');
    expect(text).not.toContain('canary');
    expect(text).toContain('LIVE_JWT_SECRET is a secret of 8 bytes');
    expect(text).toContain('"http://…@app.example/"');
  });

  it('a warning names a misspelled setting, and only variables with our prefix', () => {
    expect(readSettings({ LIVE_JWT_SECRETS: 'x', LIVE_COLOUR: 'x', HTTP_PROXY: 'x' }).warnings).toEqual([
      'LIVE_JWT_SECRETS is not a setting of this server and has no effect: did you mean LIVE_JWT_SECRET?',
      'LIVE_COLOUR is not a setting of this server and has no effect: see --help',
    ]);
  });
});

describe('settings that contradict each other', () => {
  const session = { LIVE_SESSION_URL: 'http://app.example/me' };
  it.each<[string, Environment, string]>([
    [
      'two credential sources',
      { ...production, LIVE_JWKS_URL: 'https://k.example' },
      'LIVE_JWT_SECRET and LIVE_JWKS_URL are both',
    ],
    [
      'no credential source in production',
      { NODE_ENV: 'production' },
      'one of LIVE_JWT_SECRET, LIVE_JWT_PUBLIC_KEY, LIVE_JWKS_URL, LIVE_SESSION_URL',
    ],
    [
      'a session backend without allowed origins',
      { ...session },
      'LIVE_SESSION_URL needs LIVE_ALLOWED_ORIGINS',
    ],
    [
      'an audience without tokens',
      { LIVE_JWT_AUDIENCE: 'a' },
      'LIVE_JWT_AUDIENCE is set, but no tokens are checked',
    ],
    [
      'a required expiry without tokens',
      { LIVE_JWT_REQUIRE_EXP: 'true' },
      'LIVE_JWT_REQUIRE_EXP is set, but no tokens are checked',
    ],
    [
      'a publish key of 15 characters in production',
      { ...production, LIVE_PUBLISH_KEY: 'k'.repeat(15) },
      'LIVE_PUBLISH_KEY must have at least 16 characters',
    ],
    [
      'sockets on all addresses in development',
      { LIVE_WS_HOST: '0.0.0.0' },
      'LIVE_WS_HOST is "0.0.0.0", but without a',
    ],
    [
      'a page on a public address in development',
      { HTTP_HOST: '10.0.0.1' },
      'HTTP_HOST is "10.0.0.1", but without a',
    ],
    ['a host name that only looks like loopback', { HTTP_HOST: '127.0.0.1.evil.example' }, 'HTTP_HOST is'],
    ['the same port for sockets and HTTP', { HTTP_PORT: '8081' }, 'LIVE_WS_PORT and HTTP_PORT are both 8081'],
    [
      'the PROXY protocol without proxies',
      { LIVE_PROXY_PROTOCOL: 'true', LIVE_TRUSTED_PROXIES: '0' },
      'LIVE_PROXY_PROTOCOL needs LIVE_TRUSTED_PROXIES',
    ],
    [
      'a Unix socket together with a port',
      { LIVE_WS_SOCKET_PATH: '/run/live.sock', LIVE_WS_PORT: '80' },
      'LIVE_WS_SOCKET_PATH and LIVE_WS_PORT are both set',
    ],
    [
      'proxy addresses at a Unix socket',
      { LIVE_WS_SOCKET_PATH: '/run/live.sock', LIVE_TRUSTED_PROXIES: '10.0.0.0/8' },
      'LIVE_TRUSTED_PROXIES is a list, but at LIVE_WS_SOCKET_PATH',
    ],
    [
      'NATS replicas without a NATS broker',
      { LIVE_NATS_REPLICAS: '3' },
      'LIVE_NATS_REPLICAS require a NATS broker',
    ],
    [
      'ingestion without a Redis broker',
      { LIVE_INGEST: 'true' },
      'LIVE_INGEST reads a stream of the Redis server',
    ],
  ])('the server does not start with %s', (_what, environment, words) => {
    const problems = problemsOf(environment);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(words);
  });

  it.each<[string, Environment]>([
    [
      'a credential source and public addresses are set',
      { ...production, LIVE_WS_HOST: '0.0.0.0', HTTP_HOST: '::' },
    ],
    ['the publish key has 16 characters in production', { ...production, LIVE_PUBLISH_KEY: 'k'.repeat(16) }],
    ['the publish key is short in development', { LIVE_PUBLISH_KEY: 'k' }],
    ['LIVE_JWT_REQUIRE_EXP is false without tokens', { LIVE_JWT_REQUIRE_EXP: 'false' }],
    ['a session backend has allowed origins', { ...session, LIVE_ALLOWED_ORIGINS: 'https://app.example' }],
    ['development uses other loopback names', { LIVE_WS_HOST: '127.0.0.9', HTTP_HOST: 'localhost' }],
    ['both ports are 0', { LIVE_WS_PORT: '0', HTTP_PORT: '0' }],
    [
      'the sockets have no port but a Unix socket',
      { LIVE_WS_SOCKET_PATH: '/run/live.sock', HTTP_PORT: '8081' },
    ],
    ['the same port is used on two addresses', { LIVE_WS_HOST: '127.0.0.2', HTTP_PORT: '8081' }],
  ])('there is no contradiction if %s', (_what, environment) => {
    expect(problemsOf(environment)).toEqual([]);
  });
});
