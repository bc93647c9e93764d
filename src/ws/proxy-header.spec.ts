import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proxyHeaderV2 } from '../../test/support/proxy-header.js';
import { readProxyHeader, speaksProxyProtocol } from './proxy-header.js';

const rest = Buffer.from('GET /live');
const read = (bytes: Buffer): unknown => readProxyHeader(Buffer.concat([bytes, rest]));
const line = (text: string): Buffer => Buffer.from(`PROXY ${text}\r\n`, 'latin1');

describe('readProxyHeader', () => {
  it.each([
    ['TCP4 203.0.113.7 10.0.0.1 4711 8081', '203.0.113.7'],
    ['TCP6 2001:db8::7 2001:db8::1 65535 0', '2001:db8::7'],
    ['UNKNOWN', undefined],
    ['UNKNOWN ffff::1 ffff::2 1 2', undefined],
  ])('[L-9.14] version 1 names the client: %j', (text, address) => {
    const bytes = line(text);
    expect(read(bytes)).toEqual({
      lengthBytes: bytes.length,
      from: 'client',
      ...(address !== undefined && { address }),
    });
  });

  it.each([
    'TCP4 203.0.113.7 10.0.0.1 4711',
    'TCP4 203.0.113.7 10.0.0.1 4711 8081 ',
    'TCP4 203.0.113.7  10.0.0.1 4711 8081',
    'TCP4 2001:db8::7 10.0.0.1 4711 8081',
    'TCP4 203.0.113 10.0.0.1 4711 8081',
    'TCP4 203.0.113.7 10.0.0.1 65536 8081',
    'TCP4 203.0.113.7 10.0.0.1 -1 8081',
    'TCP6 fe80::1%lo ::1 1 2',
    'TCP6 203.0.113.7 10.0.0.1 1 2',
    'UDP4 203.0.113.7 10.0.0.1 4711 8081',
    'tcp4 203.0.113.7 10.0.0.1 4711 8081',
    '',
    `UNKNOWN ${'x'.repeat(100)}`,
  ])('[L-9.14] an invalid header of version 1 is malformed: %j', (text) => {
    expect(read(line(text))).toBe('malformed');
  });

  it('[L-9.14] version 2 names the client, whatever other fields it has', () => {
    for (const more of [0, 1, 200]) {
      const four = proxyHeaderV2({ address: '203.0.113.7', more });
      expect(read(four)).toEqual({ lengthBytes: four.length, from: 'client', address: '203.0.113.7' });
      const six = proxyHeaderV2({ address: '2001:db8::7', more });
      expect(read(six)).toEqual({ lengthBytes: six.length, from: 'client', address: '2001:db8::7' });
    }
    expect(read(proxyHeaderV2({ command: 0 }))).toEqual({ lengthBytes: 16, from: 'local' });
    for (const family of [0x00, 0x31])
      expect(read(proxyHeaderV2({ family, more: 3 }))).toEqual({ lengthBytes: 19, from: 'client' });
  });

  it.each([
    ['another version', proxyHeaderV2({ version: 1 })],
    ['another command', proxyHeaderV2({ command: 2 })],
    ['another family', proxyHeaderV2({ family: 0x41 })],
    ['another transport', proxyHeaderV2({ family: 0x13 })],
    ['no room for its addresses', proxyHeaderV2({ family: 0x11, more: 11 })],
    ['no room for its IPv6 addresses', proxyHeaderV2({ family: 0x21, more: 35 })],
    ['more than 2,048 bytes', proxyHeaderV2({ address: '203.0.113.7', more: 2_021 })],
  ])('[L-9.14] a header of version 2 with %s is malformed', (_what, bytes) => {
    expect(read(bytes)).toBe('malformed');
  });

  it('[L-9.14] a header that arrives in pieces is incomplete until its last byte, and bounded', () => {
    const headers = [
      line('TCP4 203.0.113.7 10.0.0.1 4711 8081'),
      proxyHeaderV2({ address: '2001:db8::7', more: 9 }),
    ];
    for (const bytes of headers) {
      for (let length = 0; length < bytes.length; length++)
        expect(readProxyHeader(bytes.subarray(0, length))).toBe('incomplete');
      expect(readProxyHeader(bytes)).toMatchObject({ lengthBytes: bytes.length });
    }
    expect(readProxyHeader(Buffer.from(`PROXY ${'x'.repeat(101)}`))).toBe('malformed');
  });

  it('[L-9.14] bytes of another protocol have no header', () => {
    for (const text of ['GET / HTTP/1.1\r\n', '\r\n\r\nGET', 'PROXYGET', '\x16\x03\x01'])
      expect([readProxyHeader(Buffer.from(text)), speaksProxyProtocol(Buffer.from(text))]).toEqual([
        'absent',
        false,
      ]);
    expect(speaksProxyProtocol(undefined)).toBe(false);
    expect(speaksProxyProtocol(proxyHeaderV2({}))).toBe(true);
  });

  it('[L-9.14] no bytes make the reader throw, or wait beyond 2,048 bytes', () => {
    const starts = [Buffer.from('PROXY '), proxyHeaderV2({}).subarray(0, 12), Buffer.alloc(0)];
    fc.assert(
      fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 200 }), (start, bytes) => {
        const head = readProxyHeader(Buffer.concat([start, bytes]));
        if (typeof head !== 'string') expect(head.lengthBytes).toBeLessThanOrEqual(2_048);
        const full = readProxyHeader(Buffer.concat([start, bytes, Buffer.alloc(2_048)]));
        expect(full).not.toBe('incomplete');
      }),
    );
  });
});
