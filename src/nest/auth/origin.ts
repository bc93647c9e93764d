import type { TLSSocket } from 'node:tls';
import type { LiveModuleOptions } from '../options/live.options.js';
import { optionError } from './option-error.js';

/** The part of the options that decides about a page's origin. */
export type OriginRules = Pick<
  LiveModuleOptions,
  'allowedOrigins' | 'requireOrigin' | 'dangerouslyAllowAnyOrigin'
>;

/** Why a handshake's `Origin` is refused; fixed words, fit for a metric's label. */
export type OriginRefusal =
  | 'origin-missing'
  | 'origin-doubled'
  | 'origin-null'
  | 'origin-not-allowed'
  | 'origin-with-cookie'
  | 'origin-with-credential';

/**
 * Whether the page that opens a connection may do so. [L-1.7] Takes `request.rawHeaders`, not `request.headers`:
 * Node has joined or dropped a second `Origin` there. An empty list allows no page at all. Without a list, a handshake
 * with a credential that a browser adds by itself is refused: a cookie, HTTP Basic and the like, a client certificate.
 * With `requireOrigin` such a credential is refused also where there is no `Origin`.
 *
 * @param socket where a client certificate would be
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
  // No page can set a Bearer header: this is a program that names its target as its origin. Other origins stay
  // refused, for a gateway may make the header of a page's cookies.
  const isProgram = ambient === undefined && authorization.length > 0 && namesHost(origin, rawHeaders);
  return isProgram ? 'ok' : 'origin-not-allowed';
}

/** A browser always sends an `Origin` with a handshake; it is missing where a proxy has dropped it. */
function withoutOrigin(
  rawHeaders: readonly string[],
  { requireOrigin }: OriginRules,
  socket?: object,
): 'ok' | OriginRefusal {
  if (requireOrigin !== true) return 'ok';
  const ambient = ambientCredential(rawHeaders, valuesOf('authorization', rawHeaders), socket);
  return ambient === undefined ? 'ok' : 'origin-missing';
}

/** Which credential a browser may have added for whatever page it shows, if any. */
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

/** The only comparison with `Host`, which DNS rebinding makes a page's choice; a page has no Bearer header. */
function namesHost(origin: string, rawHeaders: readonly string[]): boolean {
  const host = /^(?:https?|wss?):\/\/(.+)$/i.exec(origin)?.[1];
  return host !== undefined && host.toLowerCase() === valuesOf('host', rawHeaders)[0]?.toLowerCase();
}

/**
 * Checks the option `allowedOrigins` at start: each entry must be written as a browser sends it, for it is compared
 * letter by letter, or be `https://*.` and a domain. Accepts `undefined` (no list). Throws an Error that names the first wrong value and the fix.
 */
export function validateAllowedOrigins(list: readonly string[] | undefined): void {
  if (list === undefined) return;
  // A string has `includes`, too, which would compare substrings.
  if (!Array.isArray(list))
    throw optionError('allowedOrigins', 'is not an array', "write ['https://app.example']");
  for (const value of list as readonly unknown[]) {
    const [problem, fix] = complaintAbout(value) ?? [];
    if (problem && fix) throw optionError('allowedOrigins', `${problem}: ${JSON.stringify(value)}`, fix);
  }
}

/** `https://*.example.com` stands for every sub-domain, of one or more labels, with that scheme and port; not for itself. */
function isAllowedBy(allowed: string, origin: string): boolean {
  const star = allowed.indexOf('*');
  if (star < 0) return allowed === origin;
  const domain = allowed.slice(star + 1);
  if (!origin.startsWith(allowed.slice(0, star)) || !origin.endsWith(domain)) return false;
  return labels.test(origin.slice(star, -domain.length));
}

const labels = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** The values of a header, in order, one for each line that the peer sent. */
export function valuesOf(name: string, rawHeaders: readonly string[]): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) values.push((rawHeaders[i + 1] ?? '').trim());
  }
  return values;
}

/** Whether an entry of `allowedOrigins` may be written like this. Such text holds no quote, user name or path. */
export function isOrigin(value: string): boolean {
  return value.length <= 120 && !value.includes('*') && complaintAbout(value) === undefined;
}

type Complaint = readonly [problem: string, fix: string];

function complaintAbout(value: unknown): Complaint | undefined {
  if (typeof value !== 'string') return ['holds something that is no string', "write 'https://app.example'"];
  if (value === 'null') {
    return [
      'holds what every sandboxed page sends',
      "serve the page over https and write that page's origin",
    ];
  }
  if (value.includes('*')) return wildcardComplaint(value);
  const scheme = value.slice(0, Math.max(0, value.indexOf('://')));
  if (scheme === '') return ['holds an origin without a scheme', "write 'https://' in front"];
  if (/^wss?$/i.test(scheme)) {
    return ["holds a socket's address", "write the page's origin, which starts with 'https://' or 'http://'"];
  }
  return /^https?$/i.test(scheme) ? webComplaint(value) : appComplaint(value);
}

/** Anything but whole labels in front of a domain would let in hosts of strangers: `https://*example.com`, `https://*.com`. */
function wildcardComplaint(value: string): Complaint | undefined {
  const fix = "write 'https://*.example.com' for all sub-domains, or each origin in full";
  const example = value.replace('://*.', '://any.');
  const isHost = /^https?:\/\/any\.(?!\d+(?:\.\d+)*(?::|$))[^.*]+(?:\.[^.*]+)+$/.test(example);
  return isHost && webComplaint(example) === undefined ? undefined : ['holds a wildcard', fix];
}

function webComplaint(value: string): Complaint | undefined {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url)
    return ['holds what is no origin', "write scheme, host and port, as in 'https://app.example:8443'"];
  if (url.origin === value) return undefined;
  const fix = `write '${url.origin}'`;
  if (url.username || url.password) return ['holds an origin with a user name', fix];
  if (url.pathname !== '/' || url.search || url.hash) return ['holds an origin with a path', fix];
  if (value.endsWith('/')) return ['holds an origin with a trailing slash', fix];
  if (value.toLowerCase() === url.origin) return ['holds an origin with upper-case letters', fix];
  if (/:\d+$/.test(value) && url.port === '') return ["holds an origin with its scheme's default port", fix];
  return ['holds an origin that browsers write in another way', fix];
}

/** Apps in a shell (`capacitor://localhost`, `chrome-extension://…`) have schemes of which `URL` knows no origin. */
function appComplaint(value: string): Complaint | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]*(:\d+)?$/.test(value)) return undefined;
  return ['holds what is no origin', 'write scheme and host in lower case, without a slash at the end'];
}
