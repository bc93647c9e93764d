import { areProxies, maxProxies, type TrustedProxies } from '../../ws/client-address.js';
import { wrongOption } from '../options/live.errors.js';

/**
 * The option `trustedProxies` as it is.
 *
 * @throws Error that names the option when it can mean nothing, or everybody
 */
export function validTrustedProxies(value: unknown): TrustedProxies {
  if (areProxies(value)) return value;
  throw wrongOption(
    'trustedProxies',
    value,
    `a number of proxies from 0 to ${String(maxProxies)}, or a list of addresses and networks such as 10.0.0.0/8`,
  );
}
