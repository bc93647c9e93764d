import { describe, expect, it } from 'vitest';
import { connectionIdentityOf, liveUserOf, setConnectionIdentity, userIdOf } from './connection-identity.js';

describe('connection identity', () => {
  it('[L-1.11] what a guard has set is what is known, over a user that something else left', () => {
    const request = { user: { id: 'passport' } };
    setConnectionIdentity(request, { user: { id: 'u1' }, expiresAt: 5 });
    expect(connectionIdentityOf(request)).toEqual({ user: { id: 'u1' }, expiresAt: 5 });
  });

  it('[L-1.11] a guard that knows nobody is believed', () => {
    const request = { user: { id: 'passport' } };
    setConnectionIdentity(request, { user: null });
    expect(connectionIdentityOf(request)).toEqual({ user: null });
  });

  it('[L-1.11] the identity of one request is not that of another', () => {
    setConnectionIdentity({}, { user: { id: 'u1' } });
    expect(connectionIdentityOf({})).toBeNull();
  });

  it('[L-1.11] a user of passport counts, with its getters and without an end', () => {
    class Account {
      get id(): string {
        return 'u1';
      }
    }
    const user = new Account();
    expect(connectionIdentityOf({ user })?.user).toBe(user);
    expect(connectionIdentityOf({ user })).not.toHaveProperty('expiresAt');
  });

  it.each([
    ['a string id', { id: 'u1', role: 'x' }, { id: 'u1', role: 'x' }],
    ['a number as id', { id: 7 }, { id: '7' }],
    ['zero as id', { id: 0 }, { id: '0' }],
    ['a bigint as id', { id: 2n ** 64n }, { id: '18446744073709551616' }],
    ['a number as sub', { sub: 7 }, { id: '7', sub: 7 }],
    ['a sub and no id', { sub: 's1' }, { id: 's1', sub: 's1' }],
    ['a sub beside an empty id', { id: '', sub: 's1' }, { id: 's1', sub: 's1' }],
  ])('[L-1.11] a user with %s is known', (_, user, expected) => {
    expect(connectionIdentityOf({ user })).toEqual({ user: expected });
  });

  it.each([
    undefined,
    null,
    'u1',
    7,
    true,
    {},
    [],
    { id: '' },
    { id: null },
    { id: {} },
    { id: Number.NaN },
    { id: 1.5 },
    { id: 2 ** 53 },
    { sub: '' },
    { sub: 2 ** 53 },
    { sub: 0.5 },
  ])('[L-1.11] nobody is known by request.user = %j', (user) => {
    expect(connectionIdentityOf({ user })).toBeNull();
  });

  it('[L-1.11] a field called __proto__ neither becomes a prototype nor stays', () => {
    const fields = JSON.parse('{"__proto__":{"admin":true},"role":"x","id":"other"}') as object;
    const user = liveUserOf(fields, 'u1');
    expect(Object.keys(user).toSorted()).toEqual(['id', 'role']);
    expect(user).toMatchObject({ id: 'u1', role: 'x' });
    expect(Object.assign({}, user)).not.toHaveProperty('admin');
  });

  it('[L-1.11] a number that may have been rounded is no id', () => {
    expect(userIdOf(Number.MAX_SAFE_INTEGER)).toBe('9007199254740991');
    expect(userIdOf(Number.MAX_SAFE_INTEGER + 1)).toBeUndefined();
  });
});
