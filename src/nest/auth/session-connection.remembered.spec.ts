import type { ExecutionContext } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectionIdentityOf } from './connection-identity.js';
import { SessionConnectionGuard } from './session-connection.guard.js';

/** The backend: records one entry per request, answered by `answer`. */
let asked: string[];
let answer: () => Promise<Response>;
const says =
  (value: unknown, status = 200) =>
  () =>
    Promise.resolve(Response.json(value, { status }));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 1_800_000_000_000 });
  asked = [];
  answer = says({ id: 'u1' });
  vi.spyOn(globalThis, 'fetch').mockImplementation((_, init) => {
    asked.push(new Headers(init?.headers).get('cookie') ?? '');
    return answer();
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const guardFor = (options: object = {}) =>
  new SessionConnectionGuard({ session: { url: 'http://backend/me', ...options } });

async function show(guard: SessionConnectionGuard, cookie = 'a=1') {
  const request = { headers: { cookie } };
  const http = { getRequest: () => request, getResponse: () => ({ setHeader: () => undefined }) };
  const context = { switchToHttp: () => http } as unknown as ExecutionContext;
  const status = await guard.canActivate(context).catch((error: { readonly status: number }) => error.status);
  return { status, identity: connectionIdentityOf(request) };
}

describe('SessionConnectionGuard: caching', () => {
  it('[L-1.6] a positive answer is cached for five seconds, for these cookies only', async () => {
    const guard = guardFor();
    const yes = await show(guard);
    vi.advanceTimersByTime(4_999);
    const again = await show(guard);
    expect([yes.status, again.status, again.identity]).toEqual([true, true, yes.identity]);
    expect(again.identity?.user).not.toBe(yes.identity?.user);
    await show(guard, 'a=1; b=2');
    expect(asked).toEqual(['a=1', 'a=1; b=2']);
    vi.advanceTimersByTime(1);
    answer = says({}, 401);
    expect(await show(guard)).toMatchObject({ status: 401 });
  });

  it.each([401, 500])('[L-1.6] a %i is not cached', async (status) => {
    const guard = guardFor();
    answer = says({}, status);
    await show(guard);
    answer = says({ id: 'u1' });
    expect(await show(guard)).toMatchObject({ status: true });
  });

  it('[L-1.6] concurrent handshakes with the same cookies share one request', async () => {
    const guard = guardFor({ cacheMs: 0 });
    answer = () => {
      const say = says({ id: `u${asked.length}` });
      return new Promise(setImmediate).then(say);
    };
    const shown = ['a=1', 'a=1', 'a=2', 'a=1', 'a=2'].map((cookie) => show(guard, cookie));
    const ids = (await Promise.all(shown)).map(({ identity }) => identity?.user?.id);
    expect(ids).toEqual(['u1', 'u1', 'u2', 'u1', 'u2']);
    expect(asked).toEqual(['a=1', 'a=2']);
    answer = says({}, 401);
    expect(await show(guard, 'a=1')).toMatchObject({ status: 401 });
  });

  it('[L-1.11] an expiresAt in the answer ends the identity and its cache entry', async () => {
    const guard = guardFor();
    const expiresAt = Date.now() + 1_000;
    answer = says({ id: 'u1', expiresAt });
    expect((await show(guard)).identity).toMatchObject({ expiresAt });
    vi.advanceTimersByTime(999);
    expect(await show(guard)).toMatchObject({ status: true });
    expect(asked).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(await show(guard)).toEqual({ status: 401, identity: null });
    expect(asked).toHaveLength(2);
  });
});
