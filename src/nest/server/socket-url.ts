import type { AddressInfo } from 'node:net';

/**
 * Where sockets connect: `ws://127.0.0.1:8081/live`, or on a Unix socket `ws+unix:/run/live.sock:/live`, which is how the
 * package `ws` writes it.
 *
 * @param address what `server.address()` returned
 */
export function socketUrl(address: AddressInfo | string, path: string): string {
  if (typeof address === 'string') return `ws+unix:${address}:${path}`;
  return `ws://${reachable(address)}:${String(address.port)}${path}`;
}

/** A wildcard is where a server listens, not where it is reached. */
function reachable({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (address === '::') return '[::1]';
  return family === 'IPv6' ? `[${address}]` : address;
}
