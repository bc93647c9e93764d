import { describe, expect, it } from 'vitest';
import { MemoryBroker } from 'nestjs-live/broker';
import { brokerKinds, brokerOf, MissingPeer } from './broker.js';
import { ServerSettings } from './settings.js';
import { areBrokerAddresses } from './settings/broker-address.js';
import { failureText } from './start-failure.js';
import type { ServerPlan } from './server-plan.js';

const settings = (url: string): ServerSettings =>
  Object.assign(new ServerSettings(), { LIVE_BROKER_URL: url });

describe('brokerOf', () => {
  it('without LIVE_BROKER_URL there is no broker', async () => {
    expect(await brokerOf(new ServerSettings())).toBeUndefined();
  });

  it('every scheme that the settings accept has a broker', () => {
    const addressOf = (scheme: string) => `${scheme}//host${scheme.includes('sentinel') ? '/main' : ''}`;
    expect(Object.keys(brokerKinds).filter((scheme) => !areBrokerAddresses(addressOf(scheme)))).toEqual([]);
  });

  it('all addresses go to the broker of their scheme', async () => {
    const broker = new MemoryBroker();
    const asked: (readonly string[])[] = [];
    const make = async (urls: readonly string[]) => {
      asked.push(urls);
      return broker;
    };
    const kinds = { 'redis:': { peer: 'a-client', make } };
    expect(await brokerOf(settings('redis://one, redis://two'), kinds)).toBe(broker);
    expect(asked).toEqual([['redis://one', 'redis://two']]);
  });

  it('the error for a missing client says what to install and does not show the address', async () => {
    const make = async (): Promise<never> =>
      (await import('a-client-that-is-not-installed' as string)) as never;
    const failing = brokerOf(settings('redis://ann:canary@cache'), { 'redis:': { peer: 'a-client', make } });
    const failure = await failing.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MissingPeer);
    expect(failureText(failure, {} as ServerPlan)).toBe(
      'nestjs-live cannot start: LIVE_BROKER_URL needs a-client, which is not installed: npm install a-client',
    );
  });
});
