import { describe, expect, it } from 'vitest';
import type { SendBatch } from '../../core/ports/socket.js';
import type { LiveModuleOptions } from '../options/live.options.js';
import { resolveOptions } from './resolve-options.js';

const rateOf = (options: LiveModuleOptions) => resolveOptions(options).limits.inboundRate;

describe('The replay rate', () => {
  it('[L-9.18] the replay rate has defaults, and an invalid value stops the start', () => {
    expect(resolveOptions({}).limits.replayRate).toEqual({
      bytesPerSecond: 2_097_152,
      byteBurst: 33_554_432,
    });
    const replayRate = { bytesPerSecond: 1, byteBurst: 2 };
    expect(resolveOptions({ replayRate }).limits.replayRate).toEqual(replayRate);
    for (const wrong of [0, 1.5, Number.NaN, '1' as unknown as number]) {
      expect(() => resolveOptions({ replayRate: { byteBurst: wrong } })).toThrow(/"replayRate.byteBurst" is/);
    }
  });
});

describe('The options of the limits', () => {
  it('[L-9.10] the default burst lets a client subscribe to all its topics again after a reconnect', () => {
    expect(rateOf({})).toEqual({
      messagesPerSecond: 20,
      messageBurst: 168,
      bytesPerSecond: 65_536,
      byteBurst: 196_608,
    });
  });

  it('[L-9.10] the default burst follows the rate, the number of topics and the message size', () => {
    const options = { maxTopicsPerConnection: 1_000, maxMessageBytes: 1_048_576 };
    expect(rateOf({ ...options, inboundRate: { messagesPerSecond: 100, bytesPerSecond: 1 } })).toEqual({
      messagesPerSecond: 100,
      messageBurst: 1_200,
      bytesPerSecond: 1,
      byteBurst: 1 + 1_048_576 + 512_000,
    });
  });

  it('[L-9.10] given rates are used unchanged', () => {
    const inboundRate = { messagesPerSecond: 1, messageBurst: 2, bytesPerSecond: 3, byteBurst: 65_536 };
    expect(rateOf({ inboundRate })).toEqual(inboundRate);
  });

  it('[L-9.10] only dangerouslyUnlimitedInbound turns the rate off', () => {
    expect(rateOf({ dangerouslyUnlimitedInbound: true })).toBeUndefined();
    expect(rateOf({ dangerouslyUnlimitedInbound: false })).toBeDefined();
    expect(() => rateOf({ dangerouslyUnlimitedInbound: true, inboundRate: { messageBurst: 1 } })).toThrow(
      /"dangerouslyUnlimitedInbound" and "inboundRate" contradict each other/,
    );
  });

  it.each<[string, LiveModuleOptions]>([
    ['inboundRate.messagesPerSecond" is 0', { inboundRate: { messagesPerSecond: 0 } }],
    ['inboundRate.messagesPerSecond" is 1.5', { inboundRate: { messagesPerSecond: 1.5 } }],
    ['inboundRate.messageBurst" is NaN', { inboundRate: { messageBurst: Number.NaN } }],
    ['inboundRate.bytesPerSecond" is "1"', { inboundRate: { bytesPerSecond: '1' as unknown as number } }],
    // The largest message would never pass.
    ['inboundRate.byteBurst" is 65535', { inboundRate: { byteBurst: 65_535 } }],
    ['maxConnections" is -1', { maxConnections: -1 }],
    ['maxConnectionsPerUser" is 0.5', { maxConnectionsPerUser: 0.5 }],
    ['maxConnectionsPerAddress" is "many"', { maxConnectionsPerAddress: 'many' as unknown as number }],
    ['maxPendingUpgradesPerAddress" is -1', { maxPendingUpgradesPerAddress: -1 }],
    ['trustedProxies" is -1', { trustedProxies: -1 }],
    ['trustedProxies" is 11', { trustedProxies: 11 }],
    ['trustedProxies" is true', { trustedProxies: true as unknown as number }],
    ['trustedProxies" is "10.0.0.0/8"', { trustedProxies: '10.0.0.0/8' as unknown as number }],
    ['trustedProxies" is ["everybody"]', { trustedProxies: ['everybody'] }],
    ['trustedProxies" is ["0.0.0.0/0"]', { trustedProxies: ['0.0.0.0/0'] }],
  ])('an invalid limit is rejected by name: "%s', (words, options) => {
    expect(() => resolveOptions(options)).toThrow(`LiveModule: "${words}, but must be `);
  });

  it('[L-9.13] connections are unlimited by default, and pending handshakes of public addresses are limited', () => {
    expect(resolveOptions({}).upgrade).toMatchObject({
      maxConnections: 0,
      maxConnectionsPerUser: 0,
      maxConnectionsPerAddress: 0,
      maxPendingUpgrades: 1_000,
      maxPendingUpgradesPerAddress: 20,
      maxPendingUpgradesPerPrivateAddress: 0,
    });
    expect(resolveOptions({ maxPendingUpgradesPerAddress: 5 }).upgrade).toMatchObject({
      maxPendingUpgradesPerAddress: 5,
      maxPendingUpgradesPerPrivateAddress: 5,
    });
  });
});

describe('The options of the entrance', () => {
  it('[S4] the path of a Unix socket is absolute and short, and excludes host and port', () => {
    const socketPath = '/run/live.sock';
    expect(resolveOptions({ socketPath }).socketPath).toBe(socketPath);
    for (const wrong of ['live.sock', '/run/a:b', '/', '', `/${'x'.repeat(103)}`, 7 as unknown as string])
      expect(() => resolveOptions({ socketPath: wrong })).toThrow('"socketPath" is');
    expect(resolveOptions({ socketPath, trustedProxies: 1 }).trustedProxies).toBe(1);
    expect(() => resolveOptions({ socketPath, trustedProxies: ['10.0.0.1'] })).toThrow('trustedProxies: 1.');
    for (const other of [{ port: 8081 }, { port: 'app' as const }, { host: '127.0.0.1' }])
      expect(() => resolveOptions({ socketPath, ...other })).toThrow('contradict each other');
  });

  it('[S4] the PROXY protocol requires trusted proxies', () => {
    for (const trustedProxies of [undefined, 0, []])
      expect(() =>
        resolveOptions({ proxyProtocol: true, ...(trustedProxies && { trustedProxies }) }),
      ).toThrow('"proxyProtocol" is set, but no proxy is trusted');
    expect(resolveOptions({ proxyProtocol: true, trustedProxies: 1 }).proxyProtocol).toBe(true);
    expect(resolveOptions({}).proxyProtocol).toBe(false);
  });

  it('[S4] requireOrigin and dangerouslyAllowAnyOrigin exclude each other', () => {
    expect(() => resolveOptions({ requireOrigin: true, dangerouslyAllowAnyOrigin: true })).toThrow(
      '"requireOrigin" and "dangerouslyAllowAnyOrigin" contradict each other',
    );
  });
});

describe('The function that writes', () => {
  it('a batch is made only with a function: none without one, and anything else stops the start', () => {
    expect(resolveOptions({})).not.toHaveProperty('batch');
    expect(resolveOptions({ sendBatch: undefined })).not.toHaveProperty('batch');
    expect(resolveOptions({ sendBatch: () => {} })).toHaveProperty('batch');
    expect(() => resolveOptions({ sendBatch: true as unknown as SendBatch })).toThrow(/"sendBatch" is/);
  });
});
