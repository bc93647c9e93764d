import type { TLSSocket } from 'node:tls';
import type { LiveModuleOptions } from '../options/live.options.js';
import { labels, complaintAbout } from './origin-option.js';

/** The options that decide about a page's origin. */
export type OriginRules = Pick<
  LiveModuleOptions,
  'allowedOrigins' | 'requireOrigin' | 'dangerouslyAllowAnyOrigin'
>;

/** Why a handshake's `Origin` is refused; fixed values, suitable as a metric label. */
export type OriginRefusal =
  | 'origin-missing'
  | 'origin-doubled'
  | 'origin-null'
  | 'origin-not-allowed'
  | 'origin-with-cookie'
  | 'origin-with-credential';

/**
 * Whether the page that opens a connection may do so. [L-1.7] Takes `request.rawHeaders`, because
 * Node joins or drops a second `Origin` in `request.headers`. An empty list allows no page. Without
 * a list, a handshake with a credential that browsers add by themselves is refused: a cookie, HTTP
 * Basic and the like, a client certificate. With `requireOrigin`, such a credential is also refused
 * without an `Origin`.
 *
 * @param socket - the socket, for its client certificate
 */
export function originVerdict(
  rawHeaders: readonly string[],
  rules: OriginRules,
  socket?: object,
): 'ok' | OriginRefusal {
  const origins = valuesOf('origin', rawHeaders);
  const [origin] = origins;
  if (origin === undefined) return withoutOrigin(rawHeaders, rules, socket);
  if (origins.length > 1) return 'origin-doubled';
  if (rules.dangerouslyAllowAnyOrigin === true) return 'ok';
  if (origin === 'null') return 'origin-null';
  if (origin === '') return 'origin-not-allowed';
  const authorization = valuesOf('authorization', rawHeaders);
  const ambient = ambientCredential(rawHeaders, authorization, socket);
  if (rules.allowedOrigins === undefined) return ambient ?? 'ok';
  if (rules.allowedOrigins.some((allowed) => isAllowedBy(allowed, origin))) return 'ok';
  // No page can set a Bearer header, so this is a program that sends its target as origin. Other
  // origins stay refused, because a gateway may turn a page's cookies into that header.
  const isProgram = ambient === undefined && authorization.length > 0 && namesHost(origin, rawHeaders);
  return isProgram ? 'ok' : 'origin-not-allowed';
}

/** Browsers always send an `Origin` with a handshake; if it is missing, a proxy has dropped it. */
function withoutOrigin(
  rawHeaders: readonly string[],
  { requireOrigin }: OriginRules,
  socket?: object,
): 'ok' | OriginRefusal {
  if (requireOrigin !== true) return 'ok';
  const ambient = ambientCredential(rawHeaders, valuesOf('authorization', rawHeaders), socket);
  return ambient === undefined ? 'ok' : 'origin-missing';
}

/** The credential that a browser may have added for any page, if there is one. */
function ambientCredential(
  rawHeaders: readonly string[],
  authorization: readonly string[],
  socket: object | undefined,
): OriginRefusal | undefined {
  if (valuesOf('cookie', rawHeaders).length > 0) return 'origin-with-cookie';
  if (!authorization.every((value) => /^bearer /i.test(value))) return 'origin-with-credential';
  return hasCertificate(socket) ? 'origin-with-credential' : undefined;
}

function hasCertificate(socket: object | undefined): boolean {
  const certificate = (socket as Partial<TLSSocket> | undefined)?.getPeerCertificate?.();
  return Object.keys(certificate ?? {}).length > 0;
}

/**
 * The only comparison with `Host`, which a page can choose by DNS rebinding; but pages have no
 * Bearer header.
 */
function namesHost(origin: string, rawHeaders: readonly string[]): boolean {
  const host = /^(?:https?|wss?):\/\/(.+)$/i.exec(origin)?.[1];
  return host !== undefined && host.toLowerCase() === valuesOf('host', rawHeaders)[0]?.toLowerCase();
}

/**
 * `https://*.example.com` matches every subdomain, of one or more labels, with that scheme and
 * port, but not the domain itself.
 */
function isAllowedBy(allowed: string, origin: string): boolean {
  const star = allowed.indexOf('*');
  if (star < 0) return allowed === origin;
  const domain = allowed.slice(star + 1);
  if (!origin.startsWith(allowed.slice(0, star)) || !origin.endsWith(domain)) return false;
  return labels.test(origin.slice(star, -domain.length));
}

/** The values of a header in order, one per header line. */
export function valuesOf(name: string, rawHeaders: readonly string[]): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) values.push((rawHeaders[i + 1] ?? '').trim());
  }
  return values;
}

/**
 * Whether an entry of `allowedOrigins` may be written like this. Such text contains no quote, user
 * name or path.
 */
export function isOrigin(value: string): boolean {
  return value.length <= 120 && !value.includes('*') && complaintAbout(value) === undefined;
}
