/** Location and credentials of a NATS server, parsed from a URL. */
export interface NatsAddress {
  /** Host and port. */
  readonly server: string;
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
}

const wrong = (why: string): Error =>
  // Does not show the URL, because even an unreadable one may contain a password.
  new Error(
    `NatsBroker: "url" ${why}. Use nats://host:4222, or tls:// for TLS, with user:password@ or token@ before the host ` +
      'if needed.',
  );

/**
 * Parses `nats://` or `tls://`, then `[user:password@|token@]host[:port]`.
 *
 * @throws Error that never shows the URL
 */
export function readNatsUrl(text: string): NatsAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw wrong('is not a URL');
  if (url.protocol !== 'nats:' && url.protocol !== 'tls:') throw wrong('has another scheme');
  if (url.search !== '' || url.hash !== '') throw wrong('has a query or a fragment');
  if (!/^\/?$/.test(url.pathname)) throw wrong('has a path');
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
    throw wrong('has a user, password or token with an invalid % escape');
  }
}
