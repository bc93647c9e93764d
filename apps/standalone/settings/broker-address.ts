import { isSentinelUrl, readNatsUrl, readRedisUrl, readSentinelUrl } from 'nestjs-live/parts';

/** The check for each scheme of `LIVE_BROKER_URL`. It throws for an invalid address. */
const checks: Readonly<Record<string, (url: string) => unknown>> = {
  'redis:': readRedisUrl,
  'rediss:': readRedisUrl,
  'redis+sentinel:': readSentinelUrl,
  'rediss+sentinel:': readSentinelUrl,
  'nats:': readNatsUrl,
  'tls:': readNatsUrl,
};

/** The addresses in a comma-separated list. A Sentinel address has commas itself. */
export function brokerAddresses(text: string): readonly string[] {
  if (isSentinelUrl(text.trim())) return [text.trim()];
  return text.split(',').map((each) => each.trim());
}

/** Such as `redis:`. `URL` cannot parse an address of several sentinels. */
export function schemeOf(address: string): string {
  return /^[a-z+]+:/i.exec(address)?.[0].toLowerCase() ?? '';
}

/** Whether all are addresses of one kind of broker. */
export function areBrokerAddresses(text: string): boolean {
  try {
    const schemes = brokerAddresses(text).map((url) => {
      const scheme = schemeOf(url);
      if (Object.hasOwn(checks, scheme)) checks[scheme]?.(url);
      return scheme;
    });
    const [scheme = ''] = schemes;
    return Object.hasOwn(checks, scheme) && schemes.every((each) => each === scheme);
  } catch {
    return false;
  }
}
