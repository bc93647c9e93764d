import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { bearerPrefix } from '../../protocol/subprotocol.js';
import { defaultCookieName } from './credentials.js';

/** Headers that guards do not need, or that are restored in another way. */
const notKept = new Set(['authorization', 'cookie', 'sec-websocket-key', 'sec-websocket-extensions']);

/**
 * The parts of a handshake that a renewal needs to run the guards again, without its credential.
 * [L-7.7]
 */
export class KeptHandshake {
  private readonly url: string;
  /**
   * Stored as one text; Node's array of headers would take three times the memory per connection.
   */
  private readonly headers: string;
  private readonly socket: Socket;

  constructor({ url, rawHeaders, socket }: IncomingMessage) {
    const kept: string[] = [];
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]?.toLowerCase() ?? '';
      const value = rawHeaders[i + 1] ?? '';
      const said =
        name === 'sec-websocket-protocol' && value.includes(bearerPrefix)
          ? without(value, ',', isBearer)
          : value;
      if (!notKept.has(name) && said !== undefined) kept.push(name, said);
    }
    this.url = url ?? '/';
    this.headers = kept.join('\n');
    this.socket = socket;
  }

  /** The handshake with this token as `Authorization: Bearer` in place of its own credential. */
  requestWith(
    token: string,
    cookieHeader: string | undefined,
    cookieName = defaultCookieName,
  ): IncomingMessage {
    const cookie = without(cookieHeader, ';', (pair) => pair.startsWith(`${cookieName}=`));
    return this.request({ cookie, authorization: `Bearer ${token}` });
  }

  /** The handshake with these cookies as its credential. */
  requestWithCookies(cookie: string): IncomingMessage {
    return this.request({ cookie, authorization: undefined });
  }

  private request(credential: Record<'cookie' | 'authorization', string | undefined>): IncomingMessage {
    const headers: Record<string, string> = {};
    const kept = this.headers.split('\n');
    for (let i = 0; i + 1 < kept.length; i += 2) {
      const [name = '', value = ''] = [kept[i], kept[i + 1]];
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    for (const [name, value] of Object.entries(credential)) if (value !== undefined) headers[name] = value;
    const request = new IncomingMessage(this.socket);
    return Object.assign(request, {
      method: 'GET',
      url: this.url,
      httpVersion: '1.1',
      httpVersionMajor: 1,
      httpVersionMinor: 1,
      headers,
      rawHeaders: Object.entries(headers).flat(),
      complete: true,
    });
  }
}

function isBearer(entry: string): boolean {
  return entry.startsWith(bearerPrefix);
}

/** Removes entries from a list; `undefined` if none is left. */
function without(
  list: string | undefined,
  separator: ',' | ';',
  leaveOut: (entry: string) => boolean,
): string | undefined {
  const rest = list?.split(separator).filter((entry) => !leaveOut(entry.trim()));
  return rest === undefined || rest.length === 0 ? undefined : rest.join(separator).trim();
}
