import { describe, expect, it } from 'vitest';
import type { SessionConnectionOptions } from '../options/session-connection.options.js';
import { sessionSettingsOf } from './session-settings.js';

const url = 'http://backend:3000/me';
const check = (options: unknown) => () => sessionSettingsOf(options as SessionConnectionOptions);

describe('session: options at start', () => {
  it('[L-1.6] by default an answer may take 2 s and a positive one is cached for 5 s', () => {
    expect(sessionSettingsOf({ url })).toEqual({ url: new URL(url), timeoutMs: 2_000, cacheMs: 5_000 });
    expect(sessionSettingsOf({ url, timeoutMs: 1, cacheMs: 0 })).toMatchObject({ timeoutMs: 1, cacheMs: 0 });
  });

  it.each<[unknown, RegExp]>([
    [undefined, /"session" is undefined\. SessionConnectionGuard needs \{ url \}/],
    [{}, /session\.url" is undefined that is no http address\. Write one like 'https:/],
    [{ url: '/me' }, /session\.url" is a string of 3 characters that is no http address/],
    [{ url: 'file:///etc/passwd' }, /session\.url" is a string of 18 characters that is no http/],
    [{ url: 'https://u:hush@h/me' }, /session\.url" has a user name or password in it\. Leave them out/],
    [{ url, timeoutMs: 0 }, /session\.timeoutMs" is the number 0\. Write a number from 1 to 60000/],
    [{ url, timeoutMs: Infinity }, /session\.timeoutMs" is the number Infinity/],
    [{ url, cacheMs: -1 }, /session\.cacheMs" is the number -1\. Write a number from 0 to 300000/],
    [{ url, cacheMs: '5000' }, /session\.cacheMs" is a string of 4 characters/],
  ])('[L-1.6] the start stops on %j', (options, message) => {
    expect(check(options)).toThrow(message);
    expect(check(options)).not.toThrow('hush');
  });
});
