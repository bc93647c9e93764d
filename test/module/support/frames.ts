import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

/** A bare WebSocket client for other servers in the process. */
export class Frames {
  readonly received: string[] = [];
  private wake: () => void = () => {};

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.received.push(data.toString());
      this.wake();
    });
    socket.on('close', () => this.wake());
    socket.on('error', () => {});
    onTestFinished(() => {
      socket.terminate();
    });
  }

  static connect(url: string): Promise<Frames> {
    const frames = new Frames(new WebSocket(url));
    return new Promise((resolve, reject) => {
      frames.socket.once('open', () => resolve(frames));
      frames.socket.once('error', reject);
    });
  }

  /** The next frame that contains this text. */
  async next(text: string): Promise<string> {
    for (;;) {
      const found = this.received.find((frame) => frame.includes(text));
      if (found !== undefined) return found;
      if (this.socket.readyState !== WebSocket.OPEN)
        throw new Error(`Ended; so far: ${this.received.join()}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}
