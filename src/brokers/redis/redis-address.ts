/** Where a Redis server is and who asks, as an address says it. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
}

const wrong = (why: string): Error =>
  // Not the address itself: it may have a password in it, also where it cannot be read.
  new Error(
    `RedisBroker: "url" ${why}. Write redis://host:6379, or rediss:// for TLS, with user:password@ before the host and ` +
      '/database after the port where they are needed.',
  );

/**
 * Reads `redis[s]://[user[:password]@]host[:port][/database]`.
 *
 * @throws Error that never shows the address
 */
export function readRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw wrong('is no address');
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') throw wrong('begins with another word');
  if (url.search !== '' || url.hash !== '') throw wrong('has a query, which is not read');
  const database = /^\/?$/.test(url.pathname) ? 0 : Number(/^\/(\d{1,4})$/.exec(url.pathname)?.[1]);
  if (Number.isNaN(database)) throw wrong('has a path that is no number of a database');
  if (url.hostname === '') throw wrong('has no host');
  const [username, password] = [decoded(url.username), decoded(url.password)];
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    tls: url.protocol === 'rediss:',
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    database,
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a user or password with a % that stands for nothing');
  }
}
