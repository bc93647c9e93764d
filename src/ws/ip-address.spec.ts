import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isIn, isPrivate, networkOf, networks, plainAddress } from './ip-address.js';

describe('IP addresses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
    ['::', '::'],
    [undefined, 'unknown'],
    ['', 'unknown'],
    ['localhost', 'unknown'],
    ['1.2.3', 'unknown'],
  ])('[L-9.14] each address has one normalized form: %s becomes %s', (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:ffff:ffff:192.0.2.1', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('[L-9.13] an IPv6 address counts as its /64: %s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });

  it('[L-9.13] two IPv6 addresses count as one exactly if their first 64 bits are equal, however they are written', () => {
    const group = fc.nat(0xffff);
    const groups = fc.tuple(group, group, group, group, group, group, group, group);
    const written = (all: readonly number[]): string => all.map((each) => each.toString(16)).join(':');
    fc.assert(
      fc.property(groups, groups, fc.nat(8), (one, other, same) => {
        const mixed = [...one.slice(0, same), ...other.slice(same)];
        const alike = mixed.slice(0, 4).every((each, i) => each === one[i]);
        expect(networkOf(written(mixed)) === networkOf(written(one))).toBe(alike);
      }),
    );
    expect(networkOf('2001:0db8:0000:0001::1')).toBe(networkOf('2001:db8:0:1:2:3:4:5'));
  });

  it.each([
    '127.0.0.1',
    '10.255.0.1',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '::1',
    'fd00::1',
    'unknown',
  ])('[L-9.13] an address of a private network is private: %s', (address) => {
    expect(isPrivate(address)).toBe(true);
  });

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:db8::1', '128.0.0.1'])(
    '[L-9.13] a public address is not private: %s',
    (address) => {
      expect(isPrivate(address)).toBe(false);
    },
  );

  it('[L-9.14] a lookup finds an address in networks of its own kind only', () => {
    const list = networks(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1', '::ffff:198.51.100.0/120']);
    const found = [
      '10.1.2.3',
      '192.0.2.7',
      '2001:db8:9::1',
      '198.51.100.9',
      '198.51.101.9',
      '11.0.0.1',
      '192.0.2.8',
      '2001:db9::1',
      'unknown',
    ];
    expect(found.map((address) => isIn(list, address))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  it.each([
    '',
    'proxy',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '::/0',
    '::/1',
    '::1/64',
    '::ffff:0:0/96',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/a',
    'fe80::1%e',
  ])('[L-9.14] text that is not a network is rejected: %j', (text) => {
    expect(() => networks([text])).toThrow(RangeError);
  });
});
