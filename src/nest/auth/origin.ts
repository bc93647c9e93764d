import type { TLSSocket } from 'node:tls';
import type { LiveModuleOptions } from '../options/live.options.js';
import { optionError } from '../options/live.errors.js';

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
 * Validates the option `allowedOrigins` at start. Each entry must be written exactly as browsers
 * send it, or be `https://*.` and a domain. Accepts `undefined` (no list). Throws an Error with the
 * first invalid value and its fix.
 */
export function validateAllowedOrigins(list: readonly string[] | undefined): void {
  if (list === undefined) return;
  // Strings also have `includes`, which would compare substrings.
  if (!Array.isArray(list))
    throw optionError('allowedOrigins', 'is not an array', "Write ['https://app.example']");
  for (const value of list as readonly unknown[]) {
    const [problem, fix] = complaintAbout(value) ?? [];
    if (problem && fix) throw optionError('allowedOrigins', `${problem}: ${JSON.stringify(value)}`, fix);
  }
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

const labels = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

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

type Complaint = readonly [problem: string, fix: string];

function complaintAbout(value: unknown): Complaint | undefined {
  if (typeof value !== 'string') return ['holds something that is no string', "Write 'https://app.example'"];
  if (value === 'null') {
    return [
      'holds what every sandboxed page sends',
      "Serve the page over https and write that page's origin",
    ];
  }
  if (value.includes('*')) return wildcardComplaint(value);
  const scheme = value.slice(0, Math.max(0, value.indexOf('://')));
  if (scheme === '') return ['holds an origin without a scheme', "Write 'https://' in front"];
  if (/^wss?$/i.test(scheme)) {
    return ["holds a socket's address", "Write the page's origin, which starts with 'https://' or 'http://'"];
  }
  return /^https?$/i.test(scheme) ? webComplaint(value) : appComplaint(value);
}

/**
 * Only whole labels before a domain are allowed; `https://*example.com` or `https://*.com` would
 * match hosts of strangers.
 */
function wildcardComplaint(value: string): Complaint | undefined {
  const fix = "Write 'https://*.example.com' for all sub-domains, or each origin in full";
  const example = value.replace('://*.', '://any.');
  const isHost = /^https?:\/\/any\.(?!\d+(?:\.\d+)*(?::|$))[^.*]+(?:\.[^.*]+)+$/.test(example);
  return isHost && webComplaint(example) === undefined ? undefined : ['holds a wildcard', fix];
}

function webComplaint(value: string): Complaint | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url)
    return ['holds what is no origin', "Write scheme, host and port, as in 'https://app.example:8443'"];
  if (url.origin === value) return undefined;
  const fix = `Write '${url.origin}'`;
  if (url.username || url.password) return ['holds an origin with a user name', fix];
  if (url.pathname !== '/' || url.search || url.hash) return ['holds an origin with a path', fix];
  if (value.endsWith('/')) return ['holds an origin with a trailing slash', fix];
  if (value.toLowerCase() === url.origin) return ['holds an origin with upper-case letters', fix];
  if (/:\d+$/.test(value) && url.port === '') return ["holds an origin with its scheme's default port", fix];
  return ['holds an origin that browsers write in another way', fix];
}

/** App schemes such as `capacitor://localhost`, for which `URL` has no origin. */
function appComplaint(value: string): Complaint | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]*(:\d+)?$/.test(value)) return undefined;
  return ['holds what is no origin', 'Write scheme and host in lower case, without a slash at the end'];
}
