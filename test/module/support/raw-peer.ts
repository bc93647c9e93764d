import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP client that writes raw bytes, for behavior that no WebSocket library has. */
export class RawPeer {
  /** Everything received, as latin1. */
  received = '';
  readonly closed: Promise<void>;
  private wake: () => void = () => {};

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      this.wake();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        resolve();
        this.wake();
      });
    });
  }

  /** Connects to the host and port of a `ws:` or `http:` URL. */
  static connect(url: string, { allowHalfOpen = false } = {}): Promise<RawPeer> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen });
    onTestFinished(() => {
      socket.destroy();
    });
    const peer = new RawPeer(socket);
    return new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(peer));
      socket.once('error', reject);
    });
  }

  /** Sends a valid handshake. */
  upgrade(path: string, headers: readonly string[] = []): void {
    const lines = [
      `GET ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    ];
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /** Sends a short text frame. */
  send(text: string): void {
    const body = Buffer.from(text);
    this.socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]), body]));
  }

  /** Resolves once `text` has arrived. Rejects if the connection ends first. */
  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      if (this.socket.destroyed) throw new Error(`Ended before "${text}" came: ${this.received}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
