import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** The result of a handshake, as a metric's label. */
export type HandshakeResult =
  | 'accepted'
  | 'malformed'
  | 'unauthorized'
  | 'forbidden'
  | 'origin'
  | 'not-found'
  | 'wrong-version'
  | 'upgrade-missing'
  | 'proxy-protocol'
  | 'request-timeout'
  | 'headers-too-large'
  | 'too-many'
  | 'max-connections'
  | 'max-connections-per-address'
  | 'max-connections-per-user'
  | 'max-pending'
  | 'max-pending-per-address'
  | 'unavailable'
  | 'aborted';

const resultByStatus: Readonly<Record<number, HandshakeResult>> = {
  400: 'malformed',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  408: 'request-timeout',
  431: 'headers-too-large',
  426: 'wrong-version',
  429: 'too-many',
};

/** A handshake refused before the 101, with an HTTP answer. [L-1.4] */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly result: HandshakeResult;
  /** Why, for the log only: a few words without a secret. */
  readonly reason: string;

  /**
   * @param message - sent to the peer
   * @param headers - added to the answer
   * @param reason - for the log only, without secrets; `message` by default
   */
  constructor(
    readonly statusCode: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
    result?: HandshakeResult,
    reason?: string,
  ) {
    super(message);
    this.reason = reason ?? message;
    this.result = result ?? resultByStatus[statusCode] ?? 'unavailable';
  }
}

/** A 503 that invites the peer to retry soon. */
export function serverUnavailable(message: string, retryAfterSeconds = 1): Refusal {
  return new Refusal(503, message, { 'Retry-After': String(retryAfterSeconds) });
}

/** Milliseconds that a refused peer has to read its answer. */
const lingerMs = 500;

/** Writes the refusal as the response to a plain request. */
export function respond(
  response: ServerResponse,
  refusal: Refusal,
  more: Readonly<Record<string, string>> = {},
): void {
  const { body, headers } = answerOf(refusal);
  response.writeHead(refusal.statusCode, { ...headers, ...more });
  response.end(body);
}

/** Writes the refusal and destroys the socket. Further bytes from the peer are discarded. */
export function refuse(socket: Duplex, refusal: Refusal): void {
  const { error, body, headers } = answerOf(refusal);
  const lines = Object.entries(headers).map(
    ([name, value]) => `${name}: ${value.replaceAll(/[^\t\x20-\x7e]/g, '')}\r\n`,
  );
  // Destroying a socket with unread bytes makes the kernel reset it and drop the answer, so read
  // them.
  socket.resume();
  const late = setTimeout(() => socket.destroy(), lingerMs).unref();
  socket.once('close', () => clearTimeout(late));
  socket.end(`HTTP/1.1 ${String(refusal.statusCode)} ${error}\r\n${lines.join('')}\r\n${body}`);
}

function answerOf({ statusCode, message, headers }: Refusal): {
  readonly error: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  const error = STATUS_CODES[statusCode] ?? 'Error';
  const body = JSON.stringify({ statusCode, error, message });
  return {
    error,
    body,
    headers: {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(body)),
      ...headers,
      Connection: 'close',
    },
  };
}
