/** Where a NATS server is and who asks, as an address says it. */
export interface NatsAddress {
  /** Host and port. */
  readonly server: string;
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}

const wrong = (why: string): Error =>
  // Not the address itself: it may have a password in it, also where it cannot be read.
  new Error(
    `NatsBroker: "url" ${why}. Write nats://host:4222, or tls:// for TLS, with user:password@ or token@ before the host ` +
      'where they are needed.',
  );

/**
 * Reads `nats://` or `tls://`, then `[user:password@|token@]host[:port]`.
 *
 * @throws Error that never shows the address
 */
export function readNatsUrl(text: string): NatsAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw wrong('is no address');
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:') throw wrong('begins with another word');
  if (url.search !== '' || url.hash !== '') throw wrong('has a query, which is not read');
  if (!/^\/?$/.test(url.pathname)) throw wrong('has a path, which is not read');
  if (url.hostname === '') throw wrong('has no host');
  const [user, password] = [decoded(url.username), decoded(url.password)];
  return {
    server: `${url.hostname}:${url.port === '' ? '4222' : url.port}`,
    tls: url.protocol === 'tls:',
    ...(password !== '' && { user, password }),
    ...(user !== '' && password === '' && { token: user }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong('has a user, password or token with a % that stands for nothing');
  }
}
