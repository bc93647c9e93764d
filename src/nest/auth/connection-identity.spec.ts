import { describe, expect, it } from 'vitest';
import { connectionIdentityOf, setConnectionIdentity } from './connection-identity.js';
import { liveUserOf, userIdOf } from './checked-identity.js';

describe('connection identity', () => {
  it('[L-1.11] the identity set by a guard takes precedence over a user that something else left', () => {
    const request = { user: { id: 'passport' } };
    setConnectionIdentity(request, { user: { id: 'u1' }, expiresAt: 5 });
    expect(connectionIdentityOf(request)).toEqual({ user: { id: 'u1' }, expiresAt: 5 });
  });

  it('[L-1.11] a guard may report an anonymous client', () => {
    const request = { user: { id: 'passport' } };
    setConnectionIdentity(request, { user: null });
    expect(connectionIdentityOf(request)).toEqual({ user: null });
  });

  it('[L-1.11] the identity of one request is not that of another', () => {
    setConnectionIdentity({}, { user: { id: 'u1' } });
    expect(connectionIdentityOf({})).toBeNull();
  });

  it('[L-1.11] a user set by passport counts, with its getters and without an end', () => {
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
  ])('[L-1.11] a user with %s is accepted', (_, user, expected) => {
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
  ])('[L-1.11] request.user = %j identifies no one', (user) => {
    expect(connectionIdentityOf({ user })).toBeNull();
  });

  it.each([
    [7, '7'],
    [0, '0'],
    [2n ** 64n, '18446744073709551616'],
    ['7', '7'],
    ['x'.repeat(1_024), 'x'.repeat(1_024)],
  ])('[L-1.11] the id %s set by a guard becomes text', (id, text) => {
    const request = {};
    setConnectionIdentity(request, { user: { id, role: 'x' }, expiresAt: 5 });
    expect(connectionIdentityOf(request)).toEqual({ user: { id: text, role: 'x' }, expiresAt: 5 });
  });

  it.each<[unknown, string]>([
    [{ user: { id: 1.5 } }, 'user.id, the number 1.5: write a string of 1 to 1024 characters, or an integer'],
    [{ user: { id: 2 ** 53 } }, 'user.id, the number 9007199254740992'],
    [{ user: { id: Number.NaN } }, 'user.id, the number NaN'],
    [{ user: { id: '' } }, 'user.id, an empty string'],
    [{ user: { id: 'canary'.repeat(200) } }, 'user.id, a string of 1200 characters'],
    [{ user: { id: { toString: () => 'canary' } } }, 'user.id, a value of type object'],
    [{ user: {} }, 'user.id, undefined'],
    [{ user: 'canary' }, 'user, a string of 6 characters: write an object with an id, or null'],
    [{}, 'user, undefined'],
    [undefined, 'user, undefined'],
    [
      { user: { id: 'a' }, expiresAt: Number.NaN },
      'expiresAt, the number NaN: write milliseconds since 1970',
    ],
    [{ user: { id: 'a' }, expiresAt: Infinity }, 'expiresAt, the number Infinity'],
    [{ user: { id: 'a' }, expiresAt: '2030-01-01' }, 'expiresAt, a string of 10 characters'],
    [{ user: null, expiresAt: null }, 'expiresAt, null'],
  ])(
    '[L-1.11] the invalid identity %j is refused with a fix, even if the guard catches the error',
    (given, words) => {
      const request = { user: { id: 'passport' } };
      const set = () => setConnectionIdentity(request, given as never);
      expect(set).toThrow(`The identity of a connection has an invalid ${words}`);
      expect(set).not.toThrow('canary');
      expect(() => connectionIdentityOf(request)).toThrow(TypeError);
    },
  );

  it('[L-1.11] a passport user whose id is too long is refused, not accepted as anonymous', () => {
    expect(() => connectionIdentityOf({ user: { id: 'x'.repeat(1_025) } })).toThrow('invalid user.id');
  });

  it('[L-1.11] a field called __proto__ neither becomes a prototype nor remains', () => {
    const fields = JSON.parse('{"__proto__":{"admin":true},"role":"x","id":"other"}') as object;
    const user = liveUserOf(fields, 'u1');
    expect(Object.keys(user).toSorted()).toEqual(['id', 'role']);
    expect(user).toMatchObject({ id: 'u1', role: 'x' });
    expect(Object.assign({}, user)).not.toHaveProperty('admin');
  });

  it('[L-1.11] a number that may have been rounded is not an id', () => {
    expect(userIdOf(Number.MAX_SAFE_INTEGER)).toBe('9007199254740991');
    expect(userIdOf(Number.MAX_SAFE_INTEGER + 1)).toBeUndefined();
  });
});
