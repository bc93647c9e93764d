import { describe, expect, it } from 'vitest';
import { hostNameOf } from './http-host.js';
import { isLoopback } from './settings/rules.js';

const reaches = (host: string | undefined): boolean => {
  const name = hostNameOf({ headers: { ...(host !== undefined && { host }) } });
  return name !== undefined && isLoopback(name);
};

describe('the Host of a request in development', () => {
  it.each([
    'localhost',
    'localhost:9090',
    'LOCALHOST:9090',
    '127.0.0.1:9090',
    '127.1.2.3',
    '[::1]:9090',
    '[::1]',
  ])('the Host %s is this machine', (host) => expect(reaches(host)).toBe(true));

  it.each([
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:9090',
    'evil.example:127',
    '127.0.0.1@evil.example',
    'localhost/evil.example',
    '[::2]:9090',
    '0.0.0.0:9090',
    'localhost, evil.example',
  ])('the Host %s is not this machine', (host) => expect(reaches(host)).toBe(false));
});
