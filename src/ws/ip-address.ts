import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Stands for an address that is not known: a peer on a Unix socket, or one that already left. */
export const unknownAddress = 'unknown';

/** Prefix of an IPv4 address on a dual-stack socket. */
const mapped = '::ffff:';

/**
 * Normalizes an address: drops the zone, and turns IPv4-mapped IPv6 (`::ffff:192.0.2.1`) into IPv4.
 */
export function plainAddress(address: string | undefined): string {
  // Fast path for nearly all addresses.
  if (address === undefined || isIPv4(address)) return address ?? unknownAddress;
  if (address.startsWith(mapped) && isIPv4(address.slice(mapped.length))) return address.slice(mapped.length);
  const [plain = ''] = address.toLowerCase().split('%');
  if (!isIPv6(plain)) return isIPv4(plain) ? plain : unknownAddress;
  const groups = groupsOf(plain);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (!isMapped) return plain;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/**
 * The unit that limits count: an IPv4 address, or the /64 of an IPv6 address, the least a customer
 * gets.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const prefix = groupsOf(address).slice(0, 4);
  return `${prefix.map((group) => group.toString(16)).join(':')}::/64`;
}

const privateNetworks = networks([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '100.64.0.0/10',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]);

/**
 * Whether an address is private (RFC 6890), so more likely a proxy or a colleague than a stranger.
 * An unknown address counts as private.
 */
export function isPrivate(address: string): boolean {
  return !isIP(address) || isIn(privateNetworks, address);
}

/** Whether a normalized address is in one of the networks. */
export function isIn(list: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Builds a lookup list from addresses and networks such as `10.0.0.0/8`.
 *
 * @throws RangeError for an invalid entry, and for a network of all addresses or of all IPv4
 *   addresses
 */
export function networks(list: readonly string[]): BlockList {
  const found = new BlockList();
  for (const each of list) {
    const [, base = '', bits] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(each) ?? [];
    const version = isIP(base);
    const longest = version === 6 ? 128 : 32;
    const prefix = Number(bits ?? longest);
    if (version === 0 || prefix < 1 || prefix > longest) throw new RangeError(each);
    if (version === 6 && hasAllIPv4(base, prefix)) throw new RangeError(each);
    found.addSubnet(base, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
  return found;
}

/**
 * `BlockList` also matches an IPv4 address against IPv6 networks, as `::ffff:0:0/96`. So `::1/64`
 * would match every IPv4 address.
 */
function hasAllIPv4(base: string, prefix: number): boolean {
  const network = new BlockList();
  network.addSubnet(base, prefix, 'ipv6');
  return network.check('0.0.0.0') && network.check('255.255.255.255');
}

/** Splits a valid IPv6 address into its eight groups. */
function groupsOf(address: string): number[] {
  const [head = [], tail = []] = address.split('::').map(groupsIn);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return [...head, ...zeros, ...tail];
}

/** The last two groups may be written as an IPv4 address. */
function groupsIn(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
