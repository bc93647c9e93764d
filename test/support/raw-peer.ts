import { connect, type Socket } from 'node:net';

/** The headers of a valid handshake. A test changes or removes those it is about. */
export const rightHeaders: Readonly<Record<string, string>> = {
  Host: 'localhost',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

export interface HandshakeText {
  /** @default 'GET /live HTTP/1.1' */
  readonly line?: string;
  /** Overrides `rightHeaders`. `undefined` removes a header. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** More header lines, sent as they are. May repeat a header. */
  readonly more?: readonly string[];
}

/** A handshake as bytes on the wire. */
export function handshake({
  line = 'GET /live HTTP/1.1',
  headers = {},
  more = [],
}: HandshakeText = {}): string {
  const lines = Object.entries({ ...rightHeaders, ...headers })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${String(value)}`);
  return `${[line, ...lines, ...more].join('\r\n')}\r\n\r\n`;
}

/** A masked client frame. `first` is the whole first byte, so it may be invalid. */
export function clientFrame(payload: string | Uint8Array, first = 0x81): Buffer {
  const body = Buffer.from(payload as string);
  const head = Buffer.alloc(body.length < 126 ? 2 : 4);
  head[0] = first;
  head[1] = 0x80 | (body.length < 126 ? body.length : 126);
  if (head.length === 4) head.writeUInt16BE(body.length, 2);
  const mask = Buffer.from([0x11, 0x22, 0x33, 0x44]);
  for (let i = 0; i < body.length; i++) body[i] = (body[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return Buffer.concat([head, mask, body]);
}

export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/**
 * A bare TCP peer: it sends what the test says, keeps what it receives, and answers nothing itself.
 */
export class RawPeer {
  /**
   * Resolves when the socket is closed for any reason, with the milliseconds since it connected.
   */
  readonly closed: Promise<number>;
  /** Resolves when the other side has sent FIN. */
  readonly ended: Promise<void>;
  private readonly chunks: Buffer[] = [];
  private wake: () => void = () => {};

  private constructor(readonly socket: Socket) {
    const since = performance.now();
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.wake();
    });
    this.ended = new Promise((resolve) => socket.once('end', () => resolve()));
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve(performance.now() - since);
        this.wake();
      });
    });
  }

  static connect(port: number, allowHalfOpen = false): Promise<RawPeer> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen }, () => resolve(peer));
      socket.once('error', reject);
      const peer = new RawPeer(socket);
    });
  }

  /** All bytes received so far. */
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  /** The status of the first answer. 0 before it has arrived. */
  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(this.text)?.[1] ?? 0);
  }

  /** The bytes after the head of the first answer. */
  get afterHead(): Buffer {
    const end = this.bytes.indexOf('\r\n\r\n');
    return end < 0 ? Buffer.alloc(0) : this.bytes.subarray(end + 4);
  }

  /** The complete frames after the 101. */
  get frames(): ServerFrame[] {
    const frames: ServerFrame[] = [];
    const bytes = this.afterHead;
    for (let at = 0; at + 2 <= bytes.length;) {
      const short = (bytes[at + 1] ?? 0) & 0x7f;
      const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
      if (start > bytes.length) break;
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2));
      if (start + length > bytes.length) break;
      frames.push({ opcode: (bytes[at] ?? 0) & 0x0f, payload: bytes.subarray(start, start + length) });
      at = start + length;
    }
    return frames;
  }

  /** The text messages so far, parsed. */
  get messages(): unknown[] {
    return this.frames
      .filter(({ opcode }) => opcode === 1)
      .map(({ payload }) => JSON.parse(payload.toString()) as unknown);
  }

  /** The code of the close frame, once it has arrived. 1005 if it has none. */
  get closeCode(): number | undefined {
    const close = this.frames.find(({ opcode }) => opcode === 8);
    if (close === undefined) return undefined;
    return close.payload.length < 2 ? 1005 : close.payload.readUInt16BE(0);
  }

  send(bytes: string | Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  /** Sends FIN and continues to read. */
  finish(): void {
    this.socket.end();
  }

  /** Sends RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Waits until `fulfilled` returns true. Rejects if the socket closes first, or after 5 s. */
  async until(fulfilled: (peer: this) => boolean): Promise<this> {
    const late = setTimeout(() => this.socket.destroy(), 5_000);
    while (!fulfilled(this)) {
      if (this.socket.destroyed) throw new Error(`The socket is gone; it said: ${this.text.slice(0, 500)}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    clearTimeout(late);
    return this;
  }

  /** Waits for the status of an answer. */
  async answered(): Promise<number> {
    await this.until(({ text }) => text.includes('\r\n\r\n'));
    return this.status;
  }
}
