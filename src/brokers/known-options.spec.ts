import { describe, expect, it } from 'vitest';
import { MemoryBroker } from './memory/memory-broker.js';
import { NatsBroker } from './nats/nats-broker.js';
import { RedisBroker } from './redis/redis-broker.js';
import { RedisIngestion } from './redis/redis-ingestion.js';

const makers = {
  MemoryBroker: (options: object) => new MemoryBroker(options),
  RedisBroker: (options: object) => new RedisBroker(options),
  NatsBroker: (options: object) => new NatsBroker(options),
  RedisIngestion: (options: object) => new RedisIngestion(options as never),
};

describe('The names of the options of brokers', () => {
  it.each([
    ['MemoryBroker', { maxByte: 1 }, '"maxByte" is no option of MemoryBroker. Did you mean "maxBytes"?'],
    ['RedisBroker', { urls: 'x' }, '"urls" is no option of RedisBroker. Did you mean "url"?'],
    ['RedisBroker', { toString: 1 }, '"toString" is no option of RedisBroker'],
    ['NatsBroker', { credentials: 'x' }, '"credentials" is no option of NatsBroker'],
    [
      'NatsBroker',
      { stream: { replica: 3 } },
      '"stream.replica" is no option of NatsBroker. Did you mean "stream.replicas"?',
    ],
    [
      'NatsBroker',
      { client: { tlss: {} } },
      '"client.tlss" is no option of NatsBroker. Did you mean "client.tls"?',
    ],
    [
      'RedisIngestion',
      { publish: () => {}, leaseMS: 1 },
      '"leaseMS" is no option of RedisIngestion. Did you mean "leaseMs"?',
    ],
  ] as const)('%s refuses %j, and names the option that may be meant', (name, options, problem) => {
    expect(() => makers[name](options)).toThrow(`${name}: ${problem}`);
  });

  it('known options pass, also undefined ones', () => {
    expect(() =>
      makers.RedisBroker({ url: undefined, client: { any: 1 }, onError: undefined }),
    ).not.toThrow();
    expect(() => makers.NatsBroker({ url: 'nats://a:1', stream: { name: 'A' }, client: {} })).not.toThrow();
    expect(() => makers.MemoryBroker({})).not.toThrow();
  });
});
