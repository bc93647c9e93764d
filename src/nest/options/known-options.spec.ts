import { describe, expect, it } from 'vitest';
import type { LiveModuleOptions } from './live.options.js';
import { checkNames } from './known-options.js';

const problemOf = (options: object): string => {
  try {
    checkNames(options as LiveModuleOptions);
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
};

describe('The names of options', () => {
  it('known options pass, whatever their values', () => {
    const options = {
      port: 0,
      guards: [],
      jwt: { secret: 's', audience: 'a' },
      compression: true,
      session: undefined,
    };
    expect(problemOf({ ...options, personal: { history: { size: 1 } }, publishQueue: null })).toBe('none');
  });

  it.each([
    [
      { maxConnectionPerUser: 5 },
      '"maxConnectionPerUser" is no option of nestjs-live. Did you mean "maxConnectionsPerUser"?',
    ],
    [{ alowedOrigins: [] }, '"alowedOrigins" is no option of nestjs-live. Did you mean "allowedOrigins"?'],
    [
      { jwt: { secret: 's', issuers: 'i' } },
      '"jwt.issuers" is no option of nestjs-live. Did you mean "jwt.issuer"?',
    ],
    [{ inboundRate: { perSecond: 1 } }, '"inboundRate.perSecond" is no option of nestjs-live'],
    [
      { personal: { history: { ttl: 1 } } },
      '"personal.history.ttl" is no option of nestjs-live. Did you mean "personal.history.ttlMs"?',
    ],
    [{ compression: { threshold: 1 } }, '"compression.threshold" is no option of nestjs-live'],
    [{ toString: 1 }, '"toString" is no option of nestjs-live'],
    [{ namespace: '/chat' }, '"namespace" is no option of nestjs-live'],
  ])('an unknown option in %j is named, with the one that may be meant', (options, problem) => {
    expect(problemOf(options)).toBe(`LiveModule: ${problem}`);
  });
});
