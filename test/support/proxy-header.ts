import { isIPv4, SocketAddress } from 'node:net';

/**
 * A PROXY protocol header, version 2. Valid by default, and invalid in the way that a test wants.
 */
export interface ProxyHeaderV2 {
  /** The client's address. The destination is all zeros. */
  readonly address?: string;
  /** @default 2 */
  readonly version?: number;
  /** 0 is `LOCAL`. @default 1 */
  readonly command?: number;
  /** Family and transport. @default the address's over TCP, unspecified without an address */
  readonly family?: number;
  /** Bytes after the addresses. @default 0 */
  readonly more?: number;
}

/** The bytes of the header. */
export function proxyHeaderV2({ address, version = 2, command = 1, ...rest }: ProxyHeaderV2): Buffer {
  const { family = address === undefined ? 0 : isIPv4(address) ? 0x11 : 0x21, more = 0 } = rest;
  const source = address === undefined ? Buffer.alloc(0) : bytesOf(address);
  const body = Buffer.concat([source, Buffer.alloc(source.length === 0 ? 0 : source.length + 4 + more)]);
  const payload = address === undefined ? Buffer.alloc(more) : body;
  const head = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (version << 4) | command, family, 0, 0]);
  head.write('\r\n\r\n\0\r\nQUIT\n', 'latin1');
  head.writeUInt16BE(payload.length, 14);
  return Buffer.concat([head, payload]);
}

function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = new SocketAddress({ address, family: 'ipv6' }).address.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((each) => Number.parseInt(each, 16));
  const zeros = Array.from({ length: 8 - groups(head).length - groups(tail).length }, () => 0);
  return Buffer.from(
    [...groups(head), ...zeros, ...groups(tail)].flatMap((each) => [each >> 8, each & 0xff]),
  );
}
