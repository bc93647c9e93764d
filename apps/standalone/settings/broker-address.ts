import { checkBrokerUrl } from 'nestjs-live/parts';

/** The addresses in a comma-separated list. A Sentinel address has commas itself. */
export function brokerAddresses(text: string): readonly string[] {
  if (schemeOf(text.trim()).endsWith('+sentinel:')) return [text.trim()];
  return text.split(',').map((each) => each.trim());
}

/** Such as `redis:`. `URL` cannot parse an address of several sentinels. */
export function schemeOf(address: string): string {
  return /^[a-z+]+:/i.exec(address)?.[0].toLowerCase() ?? '';
}

/** Whether all are addresses of one kind of broker. */
export function areBrokerAddresses(text: string): boolean {
  try {
    return new Set(brokerAddresses(text).map(checkBrokerUrl)).size === 1;
  } catch {
    return false;
  }
}
