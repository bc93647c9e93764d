import { isIn, networks } from './ip-address.js';

/**
 * Whose `X-Forwarded-For` to trust: that of this many proxies in a row, or of proxies with these
 * addresses.
 */
export type TrustedProxies = number | readonly string[];

export const maxProxies = 10;

/** Whether any value, such as an option, is a valid `TrustedProxies`. */
export function areProxies(value: unknown): value is TrustedProxies {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 0 && value <= maxProxies;
  try {
    if (Array.isArray(value)) networks(value as readonly string[]);
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** Returns a check that says whether a socket with a given address belongs to a trusted proxy. */
export function socketTrust(trusted: TrustedProxies): (address: string) => boolean {
  if (typeof trusted === 'number') return () => trusted > 0;
  const proxies = networks(trusted);
  return (address) => isIn(proxies, address);
}
