import type { IncomingMessage } from 'node:http';
import { liveSubprotocol } from '../protocol/subprotocol.js';
import { Refusal } from './refusal.js';
import { pathOf, originForm } from './request-path.js';

const keyPattern = /^[+/0-9A-Za-z]{22}==$/;
const tokenPattern = /^[\t ]*[\w!#$%&'*+.^`|~-]+[\t ]*$/;
/** Also matches `, `, which Node makes of two empty headers. */
const emptyList = /^[\t ,]*$/;
const hostPattern = /^(?:[\w.-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/**
 * Maximum number of headers in a handshake; no client sends as many. Node silently drops headers
 * beyond its own limit, and a dropped `Content-Length` would hide a body, so Node's limit must be
 * higher.
 */
export const maxHandshakeHeaders = 100;

/** Headers that a handshake may hold only once. Node silently joins or drops a second one. */
const onceOnly = new Map(
  [
    'host',
    'upgrade',
    'origin',
    'sec-websocket-key',
    'sec-websocket-version',
    'authorization',
    'live-session',
    'live-sequence',
  ].map((name, index) => [name, 1 << index]),
);

/**
 * Checks a handshake to `path`, cheapest checks first, and returns the first fault. [L-1.5] [L-1.8]
 */
export function handshakeFault(request: IncomingMessage, path: string): Refusal | undefined {
  const malformed = malformation(request);
  if (malformed !== undefined) return new Refusal(400, malformed);
  if (pathOf(request) !== path) return new Refusal(404, 'No WebSocket endpoint at this path');
  const { headers } = request;
  if (headers['sec-websocket-version'] !== '13') {
    return new Refusal(426, 'WebSocket version 13 is required', {
      'Sec-WebSocket-Version': '13',
      Upgrade: 'websocket',
    });
  }
  if (!keyPattern.test(headers['sec-websocket-key'] ?? '')) return new Refusal(400, 'Bad Sec-WebSocket-Key');
  return undefined;
}

/**
 * Returns the refusal for a plain request that must have been a handshake to `path`: only a proxy
 * removes `Upgrade` or `Connection` and leaves the other headers. [L-1.8]
 */
export function strippedUpgrade(request: IncomingMessage, path: string): Refusal | undefined {
  const { headers, httpVersionMajor } = request;
  const isHandshake =
    headers['sec-websocket-key'] !== undefined || headers['sec-websocket-version'] !== undefined;
  if (!isHandshake || httpVersionMajor !== 1 || pathOf(request) !== path) return undefined;
  return new Refusal(
    426,
    'The Upgrade header is missing: a proxy in front must pass Upgrade and Connection',
    { Upgrade: 'websocket' },
    'upgrade-missing',
  );
}

function malformation(request: IncomingMessage): string | undefined {
  const { headers, method, httpVersion } = request;
  if (method !== 'GET') return 'A handshake must be a GET request';
  if (httpVersion !== '1.1') return 'A handshake must use HTTP/1.1, also between a proxy and this server';
  if (headers.upgrade?.toLowerCase() !== 'websocket') return 'Only upgrades to websocket are served';
  if (hasBody(request)) return 'A handshake must not have a body';
  if (!isSubprotocolList(headers['sec-websocket-protocol'])) return 'Bad Sec-WebSocket-Protocol';
  return headersFault(request);
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

/** What is wrong with the headers of a request, by whichever door it comes. */
export function headersFault(request: IncomingMessage): string | undefined {
  if (request.rawHeaders.length > 2 * maxHandshakeHeaders) return 'Too many headers';
  if (!hostPattern.test(request.headers.host ?? '')) return 'Bad Host';
  if (!hostPattern.test(originForm(request.url ?? '').host ?? 'none')) return 'Bad Host';
  const doubled = doubledHeader(request);
  return doubled === undefined ? undefined : `More than one ${doubled} header`;
}

/**
 * Parses the list as `ws` does. `ws` itself would refuse only after the guards, with its own text.
 */
function isSubprotocolList(list: string | undefined): boolean {
  if (list === undefined || list === liveSubprotocol || emptyList.test(list)) return true;
  const offered = list.split(',');
  if (!offered.every((entry) => tokenPattern.test(entry))) return false;
  return new Set(offered.map((entry) => entry.trim())).size === offered.length;
}

/** Removes an empty subprotocol list, which `ws` would refuse with 400. [L-1.3] */
export function dropEmptySubprotocols({ headers }: IncomingMessage): void {
  const list = headers['sec-websocket-protocol'];
  if (list !== undefined && emptyList.test(list)) delete headers['sec-websocket-protocol'];
}

function doubledHeader({ rawHeaders }: IncomingMessage): string | undefined {
  let seen = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    const bit = onceOnly.get(name);
    if (bit === undefined) continue;
    if ((seen & bit) !== 0) return name;
    seen |= bit;
  }
  return undefined;
}
