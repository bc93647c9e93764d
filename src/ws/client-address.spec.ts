import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codePoint } from '../../test/support/code-point.js';
import { ClientAddresses } from './client-address.js';
import { type TrustedProxies } from './trusted-proxies.js';

const addressOf = (trusted: TrustedProxies, remoteAddress: string | undefined, list?: string): string =>
  new ClientAddresses(trusted).of({
    socket: { remoteAddress } as IncomingMessage['socket'],
    headers: list === undefined ? {} : { 'x-forwarded-for': list },
  });

const proxies = ['10.0.0.0/8', 'fd00::/8'];

describe('ClientAddresses', () => {
  it('[L-9.14] a forwarding header from an untrusted socket does not change the client’s address', () => {
    expect(addressOf(0, '::ffff:203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
    expect(addressOf([], '203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
    expect(addressOf(proxies, '203.0.113.9', '198.51.100.1, 10.0.0.1')).toBe('203.0.113.9');
    expect(addressOf(proxies, undefined, '198.51.100.1')).toBe('unknown');
  });

  it.each([
    ['198.51.100.1', '198.51.100.1'],
    ['1.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['1.1.1.1, 198.51.100.1, 10.2.2.2', '198.51.100.1'],
    ['1.1.1.1,198.51.100.1 ,\t10.2.2.2,fd00::5', '198.51.100.1'],
    ['10.9.9.9, 10.2.2.2', '10.9.9.9'],
    ['198.51.100.1:4711', '198.51.100.1'],
    ['[2001:db8::9]:4711', '2001:db8::9'],
    ['[2001:db8::9]', '2001:db8::9'],
    ['2001:DB8::9', '2001:db8::9'],
    ['::ffff:198.51.100.1', '198.51.100.1'],
  ])(
    '[L-9.14] the client’s address is the one that the outermost trusted proxy recorded: %j',
    (list, client) => {
      expect(addressOf(proxies, '10.0.0.1', list)).toBe(client);
    },
  );

  it.each([
    '',
    ' ',
    ',',
    'unknown',
    '1.1.1.1, ',
    '1.1.1.1, evil',
    '1.1.1.1, _hidden',
    '1.1.1.1, 1.2.3',
    '[::1',
  ])('[L-9.14] an entry without an address leaves the address of the proxy that sent it: %j', (list) => {
    expect(addressOf(proxies, '10.0.0.1', list)).toBe('10.0.0.1');
  });

  it('[L-9.14] a number of trusted proxies counts entries from the end of the list', () => {
    const list = '6.6.6.6, 198.51.100.1, 192.0.2.2';
    expect([1, 2, 3, 4].map((hops) => addressOf(hops, '192.0.2.1', list))).toEqual([
      '192.0.2.2',
      '198.51.100.1',
      '6.6.6.6',
      '6.6.6.6',
    ]);
    // A proxy that connects through a Unix socket.
    expect(addressOf(1, undefined, '198.51.100.1')).toBe('198.51.100.1');
  });

  it('[L-9.14] entries that the client forged in front of the real one are ignored', () => {
    fc.assert(
      fc.property(fc.string({ unit: codePoint, maxLength: 200 }), (forged) => {
        expect(addressOf(proxies, '10.0.0.1', `${forged}, 198.51.100.1, 10.0.0.2`)).toBe('198.51.100.1');
        expect(addressOf(2, '10.0.0.1', `${forged}, 198.51.100.1, 10.0.0.2`)).toBe('198.51.100.1');
      }),
    );
  });

  it('any forwarding header yields an address or the address of the proxy', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'1.:[],% af0') }), (list) => {
        expect(addressOf(3, '10.0.0.1', list)).toMatch(/^[\d.]+$|^[\da-f:.]+$/);
      }),
    );
  });

  it('[L-9.14] only the first list from an untrusted address is reported, also if other proxies are trusted', () => {
    const reported: string[] = [];
    const report = (from: string): void => void reported.push(from);
    const request = {
      socket: { remoteAddress: '192.0.2.1' } as IncomingMessage['socket'],
      headers: { 'x-forwarded-for': '198.51.100.1' },
    };
    const nobody = new ClientAddresses(0, report);
    for (let i = 0; i < 3; i++) nobody.of(request);
    const others = new ClientAddresses(proxies, report);
    for (let i = 0; i < 3; i++) others.of(request);
    new ClientAddresses(0, report).of({ ...request, headers: {} });
    new ClientAddresses(['192.0.2.1'], report).of(request);
    new ClientAddresses(1, report).of(request);
    expect(reported).toEqual(['192.0.2.1', '192.0.2.1']);
  });

  it('an entry that is not a network throws a RangeError', () => {
    expect(() => new ClientAddresses(['proxy.example'])).toThrow(RangeError);
  });
});
