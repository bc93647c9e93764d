import type { AddressInfo } from 'node:net';

/**
 * The URL for clients: `ws://127.0.0.1:8081/live`, or `ws+unix:/run/live.sock:/live` on a Unix
 * socket, in the format of the package `ws`.
 *
 * @param address - the result of `server.address()`
 */
export function socketUrl(address: AddressInfo | string, path: string): string {
  if (typeof address === 'string') return `ws+unix:${address}:${path}`;
  return `ws://${reachable(address)}:${String(address.port)}${path}`;
}

/** Clients cannot connect to a wildcard address, only listen on it. */
function reachable({ address, family }: AddressInfo): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (address === '::') return '[::1]';
  return family === 'IPv6' ? `[${address}]` : address;
}
