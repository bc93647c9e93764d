import type { IncomingHttpHeaders } from 'node:http';
import { WebSocket } from 'ws';
import { clientSockets } from './client-sockets.js';
import { OpenRequests } from './open-requests.js';

/** A received message. Its fields are not validated, because tests compare it as a whole. */
export type Received = Readonly<Record<string, unknown>> & {
  /** Name of the message, such as `event`. */
  readonly type: string;
};

/** Options of `LiveTestClient.connect`. */
export interface LiveTestClientOptions {
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** Further headers of the handshake, such as `origin` or `cookie`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols to offer, such as `live.v1`. @default none */
  readonly protocols?: readonly string[];
  /** Maximum milliseconds for each wait. @default 5000 */
  readonly timeoutMs?: number;
}

/** Thrown if the server refused the handshake; holds its HTTP answer. */
export class HandshakeRefused extends Error {
  /** Always `HandshakeRefused`. */
  override readonly name = 'HandshakeRefused';

  constructor(
    /** HTTP status of the refusal. */
    readonly statusCode: number,
    /** Headers of the answer, such as `retry-after`. */
    readonly headers: IncomingHttpHeaders,
    /** Parsed if it is JSON, otherwise text. */
    readonly body: unknown,
  ) {
    super(`The handshake was refused with ${String(statusCode)}`);
  }
}

/**
 * A plain client for tests of live topics. It records every received message in order and does
 * nothing by itself.
 * `const client = await LiveTestClient.connect(live.url(), { token });`
 */
export class LiveTestClient {
  /** All received messages in order, starting with the welcome. */
  readonly transcript: Received[] = [];
  /** Resolves once the connection has ended. */
  readonly closed: Promise<{
    /** Close code. */
    readonly code: number;
    /** Close reason; may be empty. */
    readonly reason: string;
  }>;
  private read = 0;
  private wake: () => void = () => {};
  private settles = 0;
  private readonly requests = new OpenRequests();

  private constructor(
    /** The socket itself, for tests that need it. */
    readonly socket: WebSocket,
    private readonly timeoutMs: number,
  ) {
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        resolve({ code, reason: reason.toString() });
        this.wake();
      });
    });
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Received;
      this.transcript.push(message);
      this.requests.received(message);
      this.wake();
    });
    socket.on('error', () => {});
  }

  /**
   * Resolves once the connection is open. Rejects with `HandshakeRefused` or the network's error.
   */
  static connect(url: string, options: LiveTestClientOptions = {}): Promise<LiveTestClient> {
    const { token, headers, protocols = [], timeoutMs = 5_000 } = options;
    const authorization = token === undefined ? undefined : { authorization: `Bearer ${token}` };
    const socket = clientSockets.open(url, [...protocols], { ...authorization, ...headers });
    const client = new LiveTestClient(socket, timeoutMs);
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve(client));
      socket.on('error', reject);
      socket.on('unexpected-response', (_request, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const body = parsed(Buffer.concat(chunks).toString());
          reject(new HandshakeRefused(response.statusCode ?? 0, response.headers, body));
        });
      });
    });
  }

  /** Sends an object as JSON, or a text unchanged. */
  send(message: object | string): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    this.requests.sent(text);
    this.socket.send(text);
  }

  /** Returns the next message not yet returned by `next`. Rejects after the timeout. */
  async next(): Promise<Received> {
    await this.until(() => this.transcript.length > this.read, 'message');
    const message = this.transcript[this.read++];
    if (message === undefined) throw new Error('The connection ended');
    return message;
  }

  /** Returns the next message of this type and skips messages before it. */
  async nextOf(type: string): Promise<Received> {
    for (let message = await this.next(); ; message = await this.next()) {
      if (message.type === type) return message;
    }
  }

  /** Sends a message and returns the next message with its `id`; skips others. */
  async request(
    message: Readonly<Record<string, unknown>> & { readonly id: string | number },
  ): Promise<Received> {
    this.send(message);
    for (let answer = await this.next(); ; answer = await this.next())
      if (answer['id'] === message.id) return answer;
  }

  /**
   * Returns all messages received until the server has answered everything sent so far. It does not
   * sleep: it waits for the answers, and then sends a ping to collect messages pushed behind them.
   */
  async settle(): Promise<Received[]> {
    const id = `settle-${String(++this.settles)}`;
    const from = this.read;
    await this.until(() => this.requests.count === 0, 'answer to each request');
    // The application's messages keep their order, so an unknown message is refused after those
    // before it.
    const type = this.requests.sentToApplication ? 'live-test-settle' : 'ping';
    await this.request({ type, id });
    this.requests.sentToApplication = false;
    return this.transcript.slice(from, this.read - 1);
  }

  /** Closes the connection gracefully and waits for the end. */
  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  private async until(done: () => boolean, what: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const soFar = JSON.stringify(this.transcript);
        reject(new Error(`No ${what} within ${String(this.timeoutMs)} ms; so far: ${soFar}`));
      }, this.timeoutMs);
    });
    try {
      while (!done()) {
        if (this.socket.readyState === WebSocket.CLOSED)
          throw new Error(`The connection ended before ${what} came`);
        const woken = new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        await Promise.race([woken, late]);
      }
    } finally {
      clearTimeout(timer);
      late.catch(() => {});
    }
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
