import { areProxies, maxProxies, type TrustedProxies } from '../../ws/trusted-proxies.js';
import { wrongOption } from '../options/live.errors.js';

/**
 * Validates the option `trustedProxies`.
 *
 * @throws Error that names the option if it is invalid or would trust everyone
 */
export function validTrustedProxies(value: unknown): TrustedProxies {
  if (areProxies(value)) return value;
  throw wrongOption(
    'trustedProxies',
    value,
    `a number of proxies from 0 to ${String(maxProxies)}, or a list of addresses and networks such as 10.0.0.0/8`,
  );
}
