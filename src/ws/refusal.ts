import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** How a handshake ended, as a metric's label. */
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

/** A handshake that ends before the 101, with an HTTP answer. [L-1.4] */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly result: HandshakeResult;
  /** For the log alone: why, in a few words without a secret. */
  readonly reason: string;

  /**
   * @param message goes to the peer
   * @param headers are added to the answer
   * @param reason is for the log alone, and must hold no secret; `message` by default
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

/** The peer may come back after a moment. */
export function serverUnavailable(message: string, retryAfterSeconds = 1): Refusal {
  return new Refusal(503, message, { 'Retry-After': String(retryAfterSeconds) });
}

/** How long a refused peer has to take its answer, in milliseconds. */
const lingerMs = 500;

/** Writes the refusal as the response to a request that is no upgrade. */
export function respond(response: ServerResponse, refusal: Refusal): void {
  const { body, headers } = answerOf(refusal);
  response.writeHead(refusal.statusCode, headers);
  response.end(body);
}

/** Writes the refusal and destroys the socket; whatever the peer still sends is not looked at. */
export function refuse(socket: Duplex, refusal: Refusal): void {
  const { error, body, headers } = answerOf(refusal);
  const lines = Object.entries(headers).map(
    ([name, value]) => `${name}: ${value.replaceAll(/[^\t\x20-\x7e]/g, '')}\r\n`,
  );
  // Bytes that lie unread when a socket is destroyed make the system cut it off, answer and all: so they are read.
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
