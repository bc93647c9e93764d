import { readNatsUrl } from '../../brokers/nats/nats-address.js';
import { readRedisUrl } from '../../brokers/redis/redis-address.js';

/** What each scheme of `LIVE_BROKER_URL` allows; a check throws. */
const checks: Readonly<Record<string, (url: string) => unknown>> = {
  'redis:': readRedisUrl,
  'rediss:': readRedisUrl,
  'nats:': readNatsUrl,
  'tls:': readNatsUrl,
};

/** The addresses in a comma list. */
export function brokerAddresses(text: string): readonly string[] {
  return text.split(',').map((each) => each.trim());
}

/** Whether all are addresses of one kind of broker. */
export function areBrokerAddresses(text: string): boolean {
  try {
    const schemes = brokerAddresses(text).map((url) => {
      const { protocol } = new URL(url);
      checks[protocol]?.(url);
      return protocol;
    });
    const [scheme = ''] = schemes;
    return Object.hasOwn(checks, scheme) && schemes.every((each) => each === scheme);
  } catch {
    return false;
  }
}
