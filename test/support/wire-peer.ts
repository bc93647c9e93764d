import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** One frame as the server sent it. */
export interface WireFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The HTTP answer to a handshake. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface WireHandshake {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  /** Replaces these headers: `null` omits one, several values repeat it. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly body?: string;
}

const usual: Readonly<Record<string, string>> = {
  Host: 'localhost',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  Authorization: 'Bearer ann',
};

/** The bytes of a handshake. Valid by default, and invalid in the way that a test wants. */
export function handshake(change: WireHandshake = {}): string {
  const { method = 'GET', target = '/live', version = '1.1', headers = {}, body = '' } = change;
  const lines = Object.entries({ ...usual, ...headers }).flatMap(([name, value]) =>
    value === null ? [] : [value].flat().map((each) => `${name}: ${each}\r\n`),
  );
  return `${method} ${target} HTTP/${version}\r\n${lines.join('')}\r\n${body}`;
}

/** The bytes of one masked client frame. */
export function frame(opcode: number, content: string | Uint8Array, fin = true): Buffer {
  const payload = Buffer.from(content as string);
  const { length } = payload;
  const size = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + size);
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) head.writeUInt16BE(length, 2);
  if (size === 8) head.writeBigUInt64BE(BigInt(length), 2);
  const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([head, mask, masked]);
}

/** The bytes of messages, one text frame each. */
export const texts = (...messages: readonly object[]): Buffer =>
  Buffer.concat(messages.map((message) => frame(Opcode.text, JSON.stringify(message))));

/** The code and the reason of a close frame. */
export function closeOf({ opcode, payload }: WireFrame): { code: number; reason: string } {
  if (opcode !== Opcode.close) throw new Error(`A frame of opcode ${String(opcode)}`);
  return { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
}

/**
 * A peer without a WebSocket library, independent of the server's framing. It sends the bytes that
 * a test wants, answers nothing itself, and stops reading when its socket is paused.
 */
export class WirePeer {
  /** Resolves when the socket is closed for any reason. */
  readonly closed: Promise<void>;
  private chunks: Buffer[] = [];
  private ended = false;
  private wake: () => void = () => {};

  private constructor(readonly socket: Socket) {
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.ended = true;
        this.wake();
        resolve();
      });
    });
  }

  /** A TCP connection with nothing sent, destroyed when the test has finished. */
  static connect(url: string): Promise<WirePeer> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) }, () => resolve(new WirePeer(socket)));
      socket.once('error', reject);
      onTestFinished(() => {
        socket.destroy();
      });
    });
  }

  /** A connected peer that has read its welcome. */
  static async open(url: string, change: WireHandshake = {}): Promise<WirePeer> {
    const peer = await WirePeer.connect(url);
    peer.send(handshake(change));
    const { status } = await peer.response();
    if (status !== 101) throw new Error(`The handshake was answered ${String(status)}`);
    await peer.message();
    return peer;
  }

  /** The answer to one request. The server must close the socket after it. */
  static async ask(url: string, request: string): Promise<WireResponse> {
    const peer = await WirePeer.connect(url);
    peer.send(request);
    const response = await peer.response();
    await peer.closed;
    return response;
  }

  /** Sends all parts in one write, which is one segment if small. */
  send(...parts: readonly (string | Uint8Array)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
  }

  /** The next HTTP answer with its body, by Content-Length. */
  async response(): Promise<WireResponse> {
    await this.until(() => this.received.includes('\r\n\r\n'), 'a response');
    const end = this.received.indexOf('\r\n\r\n');
    const [first = '', ...lines] = this.received.subarray(0, end).toString().split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.replace(/^[^:]+:\s*/, '')]),
    );
    const length = Number(headers['content-length'] ?? 0);
    await this.until(() => this.received.byteLength >= end + 4 + length, 'a body');
    const body = this.received.subarray(end + 4, end + 4 + length).toString();
    this.received = this.received.subarray(end + 4 + length);
    return { status: Number(first.split(' ')[1]), headers, body };
  }

  /** The next frame. Rejects if the socket ends first. */
  async frame(): Promise<WireFrame> {
    for (;;) {
      const taken = this.takeFrame();
      if (taken !== undefined) return taken;
      const { byteLength } = this.received;
      await this.until(() => this.received.byteLength > byteLength, 'a frame');
    }
  }

  /** The next frame, which must be a text, parsed. */
  async message(): Promise<Readonly<Record<string, unknown>>> {
    const { opcode, payload } = await this.frame();
    if (opcode !== Opcode.text) throw new Error(`A frame of opcode ${String(opcode)}`);
    return JSON.parse(payload.toString()) as Record<string, unknown>;
  }

  /** Every frame until the socket closes. */
  async rest(): Promise<WireFrame[]> {
    await this.closed;
    const frames: WireFrame[] = [];
    for (let next = this.takeFrame(); next !== undefined; next = this.takeFrame()) frames.push(next);
    return frames;
  }

  private get received(): Buffer {
    const [only = Buffer.alloc(0), ...others] = this.chunks;
    if (others.length === 0) return only;
    const joined = Buffer.concat(this.chunks);
    this.chunks = [joined];
    return joined;
  }

  private set received(rest: Buffer) {
    this.chunks = [rest];
  }

  private takeFrame(): WireFrame | undefined {
    const bytes = this.received;
    if (bytes.byteLength < 2) return undefined;
    const short = (bytes[1] ?? 0) & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.byteLength < head) return undefined;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.byteLength < head + length) return undefined;
    this.received = bytes.subarray(head + length);
    return { opcode: (bytes[0] ?? 0) & 0x0f, payload: bytes.subarray(head, head + length) };
  }

  private async until(done: () => boolean, what: string): Promise<void> {
    while (!done()) {
      if (this.ended) throw new Error(`The socket ended before ${what} came`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
