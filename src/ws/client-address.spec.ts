import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientAddresses, type TrustedProxies } from './client-address.js';

const addressOf = (trusted: TrustedProxies, remoteAddress: string | undefined, list?: string): string =>
  new ClientAddresses(trusted).of({
    socket: { remoteAddress } as IncomingMessage['socket'],
    headers: list === undefined ? {} : { 'x-forwarded-for': list },
  });

const proxies = ['10.0.0.0/8', 'fd00::/8'];

describe('A client’s address', () => {
  it('[L-9.14] is the socket’s, whatever a stranger writes', () => {
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
  ])('[L-9.14] is what the outermost trusted proxy wrote: %j', (list, client) => {
    expect(addressOf(proxies, '10.0.0.1', list)).toBe(client);
  });

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
  ])('[L-9.14] is the proxy’s own where that wrote no address: %j', (list) => {
    expect(addressOf(proxies, '10.0.0.1', list)).toBe('10.0.0.1');
  });

  it('[L-9.14] is found behind a number of proxies, from the end of the list', () => {
    const list = '6.6.6.6, 198.51.100.1, 192.0.2.2';
    expect([1, 2, 3, 4].map((hops) => addressOf(hops, '192.0.2.1', list))).toEqual([
      '192.0.2.2',
      '198.51.100.1',
      '6.6.6.6',
      '6.6.6.6',
    ]);
    // Through a Unix socket.
    expect(addressOf(1, undefined, '198.51.100.1')).toBe('198.51.100.1');
  });

  it('[L-9.14] never is what the client itself wrote in front of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (forged) => {
        expect(addressOf(proxies, '10.0.0.1', `${forged}, 198.51.100.1, 10.0.0.2`)).toBe('198.51.100.1');
        expect(addressOf(2, '10.0.0.1', `${forged}, 198.51.100.1, 10.0.0.2`)).toBe('198.51.100.1');
      }),
    );
  });

  it('is some address or the proxy’s own, whatever stands in the list', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'1.:[],% af0') }), (list) => {
        expect(addressOf(3, '10.0.0.1', list)).toMatch(/^[\d.]+$|^[\da-f:.]+$/);
      }),
    );
  });

  it('[L-9.14] the first list from an address that is not trusted is reported, also where other proxies are', () => {
    const told: string[] = [];
    const tell = (from: string): void => void told.push(from);
    const request = {
      socket: { remoteAddress: '192.0.2.1' } as IncomingMessage['socket'],
      headers: { 'x-forwarded-for': '198.51.100.1' },
    };
    const nobody = new ClientAddresses(0, tell);
    for (let i = 0; i < 3; i++) nobody.of(request);
    const others = new ClientAddresses(proxies, tell);
    for (let i = 0; i < 3; i++) others.of(request);
    new ClientAddresses(0, tell).of({ ...request, headers: {} });
    new ClientAddresses(['192.0.2.1'], tell).of(request);
    new ClientAddresses(1, tell).of(request);
    expect(told).toEqual(['192.0.2.1', '192.0.2.1']);
  });

  it('throws for what is no network', () => {
    expect(() => new ClientAddresses(['proxy.example'])).toThrow(RangeError);
  });
});
