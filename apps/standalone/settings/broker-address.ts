import { isSentinelUrl, readNatsUrl, readRedisUrl, readSentinelUrl } from 'nestjs-live/parts';

/** What each scheme of `LIVE_BROKER_URL` allows; a check throws. */
const checks: Readonly<Record<string, (url: string) => unknown>> = {
  'redis:': readRedisUrl,
  'rediss:': readRedisUrl,
  'redis+sentinel:': readSentinelUrl,
  'rediss+sentinel:': readSentinelUrl,
  'nats:': readNatsUrl,
  'tls:': readNatsUrl,
};

/** The addresses in a comma list; one of sentinels has commas of its own. */
export function brokerAddresses(text: string): readonly string[] {
  if (isSentinelUrl(text.trim())) return [text.trim()];
  return text.split(',').map((each) => each.trim());
}

/** Such as `redis:`; an address of several sentinels is no URL that `URL` can read. */
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
