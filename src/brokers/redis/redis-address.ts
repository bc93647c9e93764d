/** Location and credentials of a Redis server, parsed from a URL. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
}

const wrong = (why: string): Error =>
  // Does not show the URL, because even an unreadable one may contain a password.
  new Error(
    `RedisBroker: "url" ${why}. Use redis://host:6379, or rediss:// for TLS, with user:password@ before the host and ` +
      '/database after the port if needed. For Sentinel: redis+sentinel://host:26379,host:26379/master-name.',
  );

/** Sentinels that know a Redis master, parsed from a URL. */
export interface SentinelAddress {
  readonly sentinels: readonly Pick<RedisAddress, 'host' | 'port'>[];
  /** The sentinels' name for the master. */
  readonly master: string;
  /** Settings of the servers; TLS also applies to the sentinels. */
  readonly server: Omit<RedisAddress, 'host' | 'port'>;
}

export function isSentinelUrl(text: string): boolean {
  return /^rediss?\+sentinel:/i.test(text);
}

/**
 * Parses `redis[s]+sentinel://[user[:password]@]host[:port],…/master[/database]`. The credentials
 * are the servers'.
 *
 * @throws Error that never shows the URL
 */
export function readSentinelUrl(text: string): SentinelAddress {
  const parts = /^(rediss?)\+sentinel:\/\/([^/@,]*@)?([^/@?#]+)\/([\w.-]{1,128})(\/\d*)?$/i.exec(text);
  if (parts === null) throw wrong('does not name sentinels and a master');
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
 * Parses `redis[s]://[user[:password]@]host[:port][/database]`.
 *
 * @throws Error that never shows the URL
 */
export function readRedisUrl(text: string, usualPort = 6379): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw wrong('is not a URL');
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') throw wrong('has another scheme');
  if (url.search !== '' || url.hash !== '') throw wrong('has a query or a fragment');
  const database = /^\/?$/.test(url.pathname) ? 0 : Number(/^\/(\d{1,4})$/.exec(url.pathname)?.[1]);
  if (Number.isNaN(database)) throw wrong('has a path that is not a database number');
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
    throw wrong('has a user or password with an invalid % escape');
  }
}
