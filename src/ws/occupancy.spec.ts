import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Occupancy, type OccupancyLimits } from './occupancy.js';

const none: OccupancyLimits = {
  maxConnections: 0,
  maxConnectionsPerUser: 0,
  maxConnectionsPerAddress: 0,
  maxPendingUpgrades: 1_000,
  maxPendingUpgradesPerAddress: 0,
  maxPendingUpgradesPerPrivateAddress: 0,
};

const home = '203.0.113.1';
const elsewhere = '203.0.113.2';

/** A refusal as status, `Retry-After` and metric. */
const answer = (refusal: ReturnType<Occupancy['refusalOfConnection']>): unknown =>
  refusal && [refusal.statusCode, refusal.headers['Retry-After'], refusal.result];

describe('Occupancy', () => {
  it('[L-9.13] a connection beyond maxConnections is refused with 503 until another one leaves', () => {
    const occupancy = new Occupancy({ ...none, maxConnections: 2 });
    occupancy.entered(home, 'ann');
    expect(occupancy.refusalOfHandshake(home)).toBeUndefined();
    occupancy.entered(elsewhere, 'bob');
    const full = [503, '5', 'max-connections'];
    expect(answer(occupancy.refusalOfHandshake('198.51.100.1'))).toEqual(full);
    expect(answer(occupancy.refusalOfConnection('198.51.100.1', 'eve'))).toEqual(full);
    occupancy.left(home, 'ann');
    expect(occupancy.refusalOfConnection(elsewhere, 'bob')).toBeUndefined();
  });

  it('[L-9.13] a connection beyond maxConnectionsPerUser is refused with 429 until another one leaves', () => {
    const occupancy = new Occupancy({ ...none, maxConnectionsPerUser: 2 });
    occupancy.entered(home, 'ann');
    occupancy.entered(elsewhere, 'ann');
    expect(answer(occupancy.refusalOfConnection(home, 'ann'))).toEqual([
      429,
      '5',
      'max-connections-per-user',
    ]);
    expect(occupancy.refusalOfConnection(home, 'bob')).toBeUndefined();
    // The user is unknown before the guards ran, and anonymous clients never have one.
    expect(occupancy.refusalOfHandshake(home)).toBeUndefined();
    expect(occupancy.refusalOfConnection(home, undefined)).toBeUndefined();
    occupancy.left(home, 'ann');
    expect(occupancy.refusalOfConnection(home, 'ann')).toBeUndefined();
  });

  it('[L-9.13] a connection beyond maxConnectionsPerAddress is refused with 429, and IPv6 counts by /64', () => {
    const occupancy = new Occupancy({ ...none, maxConnectionsPerAddress: 2 });
    occupancy.entered('2001:db8:1:2::1', 'ann');
    occupancy.entered('2001:db8:1:2:ffff::9', 'bob');
    const refused = [429, '5', 'max-connections-per-address'];
    expect(answer(occupancy.refusalOfHandshake('2001:db8:1:2:3::3'))).toEqual(refused);
    expect(answer(occupancy.refusalOfConnection('2001:db8:1:2:3::3', 'eve'))).toEqual(refused);
    expect(occupancy.refusalOfHandshake('2001:db8:1:3::1')).toBeUndefined();
    occupancy.left('2001:db8:1:2::1', 'ann');
    expect(occupancy.refusalOfHandshake('2001:db8:1:2:3::3')).toBeUndefined();
  });

  it('[L-9.13] a handshake beyond maxPendingUpgradesPerAddress is refused with 429 until another one is decided', () => {
    const occupancy = new Occupancy({ ...none, maxPendingUpgradesPerAddress: 2 });
    occupancy.began(home);
    occupancy.began(home);
    expect(answer(occupancy.refusalOfHandshake(home))).toEqual([429, '1', 'max-pending-per-address']);
    expect(occupancy.refusalOfHandshake(elsewhere)).toBeUndefined();
    // A client that passed the guards is not subject to this limit.
    expect(occupancy.refusalOfConnection(home, 'ann')).toBeUndefined();
    occupancy.decided(home);
    expect(occupancy.refusalOfHandshake(home)).toBeUndefined();
  });

  it('[L-9.13] private addresses have a limit of their own, because proxies put all their clients behind one', () => {
    const occupancy = new Occupancy({ ...none, maxPendingUpgradesPerAddress: 1 });
    for (let i = 0; i < 100; i++) occupancy.began('10.0.0.1');
    expect(occupancy.refusalOfHandshake('10.0.0.1')).toBeUndefined();
    const strict = new Occupancy({
      ...none,
      maxPendingUpgradesPerAddress: 1,
      maxPendingUpgradesPerPrivateAddress: 1,
    });
    strict.began('10.0.0.1');
    expect(answer(strict.refusalOfHandshake('10.0.0.1'))).toEqual([429, '1', 'max-pending-per-address']);
  });

  it('[L-1.10] a handshake beyond maxPendingUpgrades is refused with 503 until another one is decided', () => {
    const occupancy = new Occupancy({ ...none, maxPendingUpgrades: 2 });
    occupancy.began(home);
    occupancy.began(elsewhere);
    expect(answer(occupancy.refusalOfHandshake('198.51.100.1'))).toEqual([503, '1', 'max-pending']);
    occupancy.decided(home);
    expect(occupancy.refusalOfHandshake('198.51.100.1')).toBeUndefined();
  });

  it('[L-9.13] no counts are stored for limits that are off', () => {
    const occupancy = new Occupancy({ ...none, maxPendingUpgrades: 1e9 });
    for (let i = 0; i < 10_000; i++) {
      occupancy.began(home);
      occupancy.entered(home, 'ann');
    }
    expect(occupancy.refusalOfHandshake(home)).toBeUndefined();
    expect(occupancy.refusalOfConnection(home, 'ann')).toBeUndefined();
    expect(occupancy.remembered).toBe(0);
  });

  it('[L-9.13] counts never exceed the limits, and are exactly 0 once everyone has left', () => {
    const limits = {
      maxConnections: 6,
      maxConnectionsPerUser: 3,
      maxConnectionsPerAddress: 4,
      maxPendingUpgrades: 5,
      maxPendingUpgradesPerAddress: 2,
      maxPendingUpgradesPerPrivateAddress: 3,
    };
    const somebody = fc.record({
      do: fc.constantFrom('begin' as const, 'come' as const, 'leave' as const),
      address: fc.constantFrom('10.0.0.1', home, '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'),
      user: fc.constantFrom('ann', 'bob', undefined),
      who: fc.nat(10),
    });
    fc.assert(
      fc.property(fc.array(somebody, { maxLength: 100 }), (steps) => {
        const occupancy = new Occupancy(limits);
        const pending: { address: string; user: string | undefined }[] = [];
        const inside: typeof pending = [];
        const most = (list: typeof pending, of: (one: (typeof pending)[0]) => string | undefined): number =>
          Math.max(
            0,
            ...list.map(
              (one) => list.filter((other) => of(one) !== undefined && of(other) === of(one)).length,
            ),
          );
        for (const { do: what, address, user, who } of steps) {
          if (what === 'begin' && occupancy.refusalOfHandshake(address) === undefined) {
            occupancy.began(address);
            pending.push({ address, user });
          } else if (what === 'come') {
            const [one] = pending.splice(who % Math.max(1, pending.length), 1);
            if (one === undefined) continue;
            occupancy.decided(one.address);
            if (occupancy.refusalOfConnection(one.address, one.user) !== undefined) continue;
            occupancy.entered(one.address, one.user);
            inside.push(one);
          } else if (what === 'leave') {
            const [one] = inside.splice(who % Math.max(1, inside.length), 1);
            if (one !== undefined) occupancy.left(one.address, one.user);
          }
          expect(inside.length).toBeLessThanOrEqual(6);
          expect(most(inside, ({ user: id }) => id)).toBeLessThanOrEqual(3);
          expect(most(inside, ({ address: from }) => from)).toBeLessThanOrEqual(4);
          expect(pending.length).toBeLessThanOrEqual(5);
          expect(
            most(pending, ({ address: from }) => (from === '10.0.0.1' ? undefined : from)),
          ).toBeLessThanOrEqual(2);
        }
        for (const { address } of pending) occupancy.decided(address);
        for (const { address, user } of inside) occupancy.left(address, user);
        expect([occupancy.remembered, occupancy.pendingCount, occupancy.connectionCount]).toEqual([0, 0, 0]);
      }),
    );
  });
});
