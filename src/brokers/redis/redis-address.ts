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
      '/database after the port where they are needed. For Sentinel: redis+sentinel://host:26379,host:26379/name-of-the-master.',
  );

/** Sentinels, which know where a Redis master is, as an address says it. */
export interface SentinelAddress {
  readonly sentinels: readonly Pick<RedisAddress, 'host' | 'port'>[];
  /** The name that the sentinels have for the master. */
  readonly master: string;
  /** What the servers need; TLS is for the sentinels, too. */
  readonly server: Omit<RedisAddress, 'host' | 'port'>;
}

export function isSentinelUrl(text: string): boolean {
  return /^rediss?\+sentinel:/i.test(text);
}

/**
 * Reads `redis[s]+sentinel://[user[:password]@]host[:port],…/master[/database]`. User and password are the servers'.
 *
 * @throws Error that never shows the address
 */
export function readSentinelUrl(text: string): SentinelAddress {
  const parts = /^(rediss?)\+sentinel:\/\/([^/@,]*@)?([^/@?#]+)\/([\w.-]{1,128})(\/\d*)?$/i.exec(text);
  if (parts === null) throw wrong('is no address of sentinels with the name of a master');
  const [, scheme = '', user = '', hosts = '', master = '', database = ''] = parts;
  const each = hosts.split(',').map((host) => readRedisUrl(`redis://${host.trim()}`, 26_379));
  const {
    host: _host,
    port: _port,
    ...server
  } = readRedisUrl(`${scheme.toLowerCase()}://${user}server${database}`);
  return { sentinels: each.map(({ host, port }) => ({ host, port })), master, server };
}

/**
 * Reads `redis[s]://[user[:password]@]host[:port][/database]`.
 *
 * @throws Error that never shows the address
 */
export function readRedisUrl(text: string, usualPort = 6379): RedisAddress {
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
    port: url.port === '' ? usualPort : Number(url.port),
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
