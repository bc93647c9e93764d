import type { Duplex } from 'node:stream';

/** More than handshakes on their way at the best of times. */
const mostSilent = 4_096;

/**
 * The sockets of the own server that have asked for nothing yet. They cost a file descriptor each, and the server's
 * timeouts take seconds to end them: when there are too many, the oldest goes. A client asks within a round trip.
 */
export class SilentSockets {
  /** With what takes back the listener to their end. */
  private readonly sockets = new Map<Duplex, () => void>();

  constructor(private readonly most = mostSilent) {}

  get count(): number {
    return this.sockets.size;
  }

  readonly connected = (socket: Duplex): void => {
    const gone = (): void => void this.sockets.delete(socket);
    this.sockets.set(socket, gone);
    socket.on('close', gone);
    if (this.sockets.size > this.most) this.endOldest();
  };

  /** It is silent no more: nothing is kept of it. */
  asked(socket: Duplex): void {
    const gone = this.sockets.get(socket);
    if (gone === undefined) return;
    socket.off('close', gone);
    this.sockets.delete(socket);
  }

  private endOldest(): void {
    for (const socket of this.sockets.keys()) {
      this.asked(socket);
      socket.destroy();
      return;
    }
  }
}
