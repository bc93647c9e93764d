import type { IncomingMessage } from 'node:http';
import { maxTokenLength } from '../../protocol/fields.js';
import { bearerPrefix } from '../../protocol/subprotocol.js';

/** The token that a client presented in its handshake, and its source. */
export interface HandshakeCredential {
  /** The token, well-formed but not verified. */
  readonly token: string;
  /** Where it was found. */
  readonly source: 'header' | 'cookie' | 'subprotocol';
}

/** Default name of the cookie that holds a token. */
export const defaultCookieName = 'live_token';
const scheme = 'bearer ';
const maxHeaderLength = 65_536;
/** RFC 6750 `b64token`, loosely: a single character class, so that there is no backtracking. */
const tokenCharacters = /^[A-Za-z0-9._~+/=-]+$/;

/**
 * Whether a string has the form of a bearer token: 1 to 16,384 characters of RFC 6750's alphabet.
 */
export function isToken(text: string): boolean {
  return text.length <= maxTokenLength && tokenCharacters.test(text);
}

/**
 * Finds the credential of a handshake. The first source with a token wins:
 * `Authorization: Bearer T` (in any case), the cookie `live_token=T`, an entry `bearer.T` in the
 * subprotocol list. Sources without a well-formed token are skipped; `undefined` if none has one.
 * Does not verify the token, and never throws. [L-1.2]
 */
export function credentialOf(
  request: Pick<IncomingMessage, 'headers'>,
  cookieName = defaultCookieName,
): HandshakeCredential | undefined {
  const { headers } = request;
  const header = fromAuthorization(bounded(headers.authorization));
  if (header !== undefined) return { token: header, source: 'header' };
  const cookie = fromCookies(bounded(headers.cookie), cookieName);
  if (cookie !== undefined) return { token: cookie, source: 'cookie' };
  const entry = fromSubprotocols(bounded(headers['sec-websocket-protocol']));
  return entry === undefined ? undefined : { token: entry, source: 'subprotocol' };
}

/** Any header may be missing, and request objects of tests or proxies may hold other types. */
function bounded(value: unknown): string {
  return typeof value === 'string' && value.length <= maxHeaderLength ? value : '';
}

function fromAuthorization(value: string): string | undefined {
  if (value.slice(0, scheme.length).toLowerCase() !== scheme) return undefined;
  return tokenIn(value.slice(scheme.length));
}

function fromCookies(value: string, cookieName: string): string | undefined {
  for (const pair of value.split(';')) {
    const at = pair.indexOf('=');
    if (at < 0 || pair.slice(0, at).trim() !== cookieName) continue;
    const token = tokenIn(unquoted(pair.slice(at + 1).trim()));
    if (token !== undefined) return token;
  }
  return undefined;
}

function fromSubprotocols(value: string): string | undefined {
  for (const entry of value.split(',')) {
    const name = entry.trim();
    const token = name.startsWith(bearerPrefix) ? tokenIn(name.slice(bearerPrefix.length)) : undefined;
    if (token !== undefined) return token;
  }
  return undefined;
}

function tokenIn(text: string): string | undefined {
  const token = text.trim();
  return isToken(token) ? token : undefined;
}

/** RFC 6265 allows a server to put a cookie's value in double quotes. */
function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}
