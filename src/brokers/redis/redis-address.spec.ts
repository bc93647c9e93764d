import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readRedisUrl, readSentinelUrl } from './redis-address.js';
import { resolveRedisOptions } from './redis-broker.options.js';

describe('readRedisUrl', () => {
  it.each([
    ['redis://cache', { host: 'cache', port: 6379, tls: false, database: 0 }],
    ['redis://cache/', { host: 'cache', port: 6379, tls: false, database: 0 }],
    [
      'rediss://ann:p%40ss@cache.example:6380/3',
      { host: 'cache.example', port: 6380, tls: true, database: 3, username: 'ann', password: 'p@ss' },
    ],
    ['redis://:secret@[::1]:7000', { host: '::1', port: 7000, tls: false, database: 0, password: 'secret' }],
  ])('readRedisUrl parses %s', (url, address) => {
    expect(readRedisUrl(url)).toEqual(address);
  });

  it.each([
    'canary',
    'http://ann:canary@cache',
    'redis://ann:canary@cache:99999',
    'redis://ann:canary@cache/three',
    'redis://ann:canary@cache/0?family=6',
    'redis://ann:%canary@cache',
    'redis:///canary',
  ])('readRedisUrl rejects %s without showing it', (url) => {
    let failure: unknown;
    try {
      readRedisUrl(url);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(Error);
    expect(inspect(failure, { depth: 9 })).not.toContain('canary');
    expect((failure as Error).message).toContain('Use redis://host:6379');
  });
});

describe('readSentinelUrl', () => {
  it.each([
    [
      'redis+sentinel://one,two:7/main',
      {
        sentinels: [
          { host: 'one', port: 26_379 },
          { host: 'two', port: 7 },
        ],
        master: 'main',
        server: { tls: false, database: 0 },
      },
    ],
    [
      'rediss+sentinel://ann:p%40ss@[::1]:7, two/my-main.1/3',
      {
        sentinels: [
          { host: '::1', port: 7 },
          { host: 'two', port: 26_379 },
        ],
        master: 'my-main.1',
        server: { tls: true, database: 3, username: 'ann', password: 'p@ss' },
      },
    ],
  ])('readSentinelUrl parses %s', (url, address) => {
    expect(readSentinelUrl(url)).toEqual(address);
  });

  it.each([
    'redis+sentinel://ann:canary@one',
    'redis+sentinel://ann:canary@one/',
    'redis+sentinel://ann:canary@one,/main',
    'redis+sentinel://ann:canary@one:99999/main',
    'redis+sentinel://ann:canary@one/main/three',
    'redis+sentinel://ann:canary@one/main?db=3',
    'redis+sentinel://ann:%canary@one/main',
    'redis+sentinel://one,ann:canary@two/main',
  ])('readSentinelUrl rejects %s without showing it', (url) => {
    let failure: unknown;
    try {
      readSentinelUrl(url);
    } catch (error) {
      failure = error;
    }
    expect(failure).toBeInstanceOf(Error);
    expect(inspect(failure, { depth: 9 })).not.toContain('canary');
    expect((failure as Error).message).toContain('redis+sentinel://host:26379');
  });
});

describe('Options of RedisBroker', () => {
  it('node-redis gets the address of the URL, and does not reconnect by itself', () => {
    const { seeds, database, clientOf } = resolveRedisOptions({
      url: ['rediss://ann:secret@one:1', 'rediss://two:2'],
      client: { socket: { servername: 'cluster.example' } as never },
    });
    expect([seeds, database]).toEqual([['one:1', 'two:2'], 0]);
    expect(clientOf('three', 3)).toMatchObject({
      username: 'ann',
      password: 'secret',
      disableOfflineQueue: true,
      socket: { host: 'three', port: 3, tls: true, servername: 'cluster.example', reconnectStrategy: false },
    });
  });

  it('without a URL the client options name the server', () => {
    const { seeds, database, clientOf } = resolveRedisOptions({
      client: { socket: { host: 'cache', port: 7 }, username: 'ann', password: 'p', database: 2 },
    });
    expect([seeds, database]).toEqual([['cache:7'], 2]);
    expect(clientOf('cache', 7)).toMatchObject({ username: 'ann', password: 'p', database: 2 });
  });

  it('sentinels get TLS and a password of their own, but not the credentials of the servers', () => {
    const { sentinel, clientOf, database } = resolveRedisOptions({
      url: 'rediss+sentinel://ann:secret@one,two/main/3',
      client: { socket: { servername: 'cache.example' } as never },
      sentinelClient: { password: 'other' },
    });
    expect([sentinel?.addresses, sentinel?.master, database]).toEqual([
      ['one:26379', 'two:26379'],
      'main',
      3,
    ]);
    expect(clientOf('cache', 6)).toMatchObject({ username: 'ann', password: 'secret', database: 3 });
    const client = sentinel?.clientOf('one', 26_379);
    expect(client).toMatchObject({
      password: 'other',
      socket: { host: 'one', port: 26_379, tls: true, servername: 'cache.example', socketTimeout: 3_000 },
    });
    expect([client?.username, client?.database]).toEqual([undefined, undefined]);
  });

  it('a sentinel URL beside other URLs is rejected', () => {
    const url = ['redis+sentinel://one/main', 'redis://:canary@two'];
    expect(() => resolveRedisOptions({ url })).toThrow('a single URL with all sentinels');
  });

  it.each(['callTimeoutMs', 'lingerMs', 'maxPublicationBytes'] as const)(
    'an invalid %s is rejected by name',
    (name) => {
      for (const value of [0, -1, 1.5, Number.NaN, '5' as unknown as number])
        expect(() => resolveRedisOptions({ [name]: value })).toThrow(`"${name}" must be`);
    },
  );
});
