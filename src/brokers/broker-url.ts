import { readNatsUrl } from './nats/nats-address.js';
import { readRedisUrl, readSentinelUrl } from './redis/redis-address.js';

const readers: Readonly<Record<string, (url: string) => unknown>> = {
  'redis:': readRedisUrl,
  'rediss:': readRedisUrl,
  'redis+sentinel:': readSentinelUrl,
  'rediss+sentinel:': readSentinelUrl,
  'nats:': readNatsUrl,
  'tls:': readNatsUrl,
};

/**
 * Checks one address of a broker and returns its scheme in lower case, such as `redis:`, or `tls:`
 * for NATS with TLS.
 *
 * @throws Error that never shows the URL, which may contain a password
 */
export function checkBrokerUrl(url: string): string {
  // `URL` cannot parse an address of several sentinels.
  const scheme = /^[a-z+]+:/i.exec(url)?.[0].toLowerCase() ?? '';
  if (!Object.hasOwn(readers, scheme))
    throw new Error(`A broker's URL starts with ${Object.keys(readers).join(', ')}`);
  readers[scheme]?.(url);
  return scheme;
}
