import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/**
 * The header with which a proxy opens a connection and names the client (PROXY protocol, version 1
 * or 2).
 */
export interface ProxyHeader {
  /** Length of the header; the client's own bytes follow. */
  readonly lengthBytes: number;
  /** `local`: the proxy connects on its own behalf, for example for a health check. */
  readonly from: 'client' | 'local';
  /** The client's address, if the proxy knows it. */
  readonly address?: string;
}

const first = Buffer.from('PROXY ');
const second = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Longest line that the specification allows, including its end. */
const maxFirstBytes = 107;
/**
 * The fixed part of version 2, and the most it may announce: addresses, and fields that are ignored
 * here.
 */
const fixedBytes = 16;
const maxSecondBytes = 2_048;

/** Whether bytes that are not HTTP begin with a PROXY protocol header. */
export function speaksProxyProtocol(bytes: Buffer | undefined): boolean {
  if (bytes === undefined) return false;
  return [first, second].some((start) => bytes.subarray(0, start.length).equals(start));
}

/**
 * Reads the header at the start of the bytes received so far, at most 2,048 bytes.
 *
 * @returns `incomplete` if more bytes are needed, `absent` if there is no header, `malformed` if it
 *   is invalid
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | 'incomplete' | 'absent' | 'malformed' {
  if (startsLike(bytes, first)) return bytes.length < first.length ? 'incomplete' : readFirst(bytes);
  if (startsLike(bytes, second)) return bytes.length < fixedBytes ? 'incomplete' : readSecond(bytes);
  return 'absent';
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function readFirst(bytes: Buffer): ReturnType<typeof readProxyHeader> {
  const line = bytes.subarray(0, maxFirstBytes).toString('latin1');
  const end = line.indexOf('\r\n');
  if (end < 0) return line.length < maxFirstBytes ? 'incomplete' : 'malformed';
  const lengthBytes = end + 2;
  const [, family = '', source = '', destination = '', ...ports] = line.slice(0, end).split(' ');
  if (family === 'UNKNOWN') return { lengthBytes, from: 'client' };
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : () => false;
  const isRight = isAddress(source) && isAddress(destination) && ports.length === 2 && ports.every(isPort);
  return isRight ? { lengthBytes, from: 'client', address: source } : 'malformed';
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

/** Bytes of two addresses and two ports, by the number of the address family. */
const addressesBytes = { 1: 12, 2: 36 } as const;

function readSecond(bytes: Buffer): ReturnType<typeof readProxyHeader> {
  const [version, command] = halvesOf(bytes[12] ?? 0);
  const [family, transport] = halvesOf(bytes[13] ?? 0);
  const lengthBytes = fixedBytes + bytes.readUInt16BE(14);
  if (version !== 2 || command > 1 || family > 3 || transport > 2 || lengthBytes > maxSecondBytes)
    return 'malformed';
  if (bytes.length < lengthBytes) return 'incomplete';
  if (command === 0) return { lengthBytes, from: 'local' };
  if (family !== 1 && family !== 2) return { lengthBytes, from: 'client' };
  if (lengthBytes < fixedBytes + addressesBytes[family]) return 'malformed';
  const source = bytes.subarray(fixedBytes, fixedBytes + (family === 1 ? 4 : 16));
  return { lengthBytes, from: 'client', address: family === 1 ? source.join('.') : ipv6Of(source) };
}

function halvesOf(byte: number): [high: number, low: number] {
  return [byte >> 4, byte & 0x0f];
}

function ipv6Of(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}
