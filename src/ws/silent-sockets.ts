import type { Duplex } from 'node:stream';

/** More than handshakes on their way at the best of times. */
const maxSilent = 4_096;

/**
 * The sockets of the own server that have asked for nothing yet. They cost a file descriptor each, and the server's
 * timeouts take seconds to end them: when there are too many, the oldest goes. A client asks within a round trip.
 */
export class SilentSockets {
  /** Called for each that had to go. */
  onDropped: () => void = () => {};
  private readonly sockets = new Set<Duplex>();
  /** One listener for the ends of all of them. */
  private readonly gone: (this: Duplex) => void;

  constructor(private readonly most = maxSilent) {
    const { sockets } = this;
    this.gone = function () {
      sockets.delete(this);
    };
  }

  get count(): number {
    return this.sockets.size;
  }

  readonly connected = (socket: Duplex): void => {
    this.sockets.add(socket);
    socket.on('close', this.gone);
    if (this.sockets.size > this.most) this.endOldest();
  };

  /** It is silent no more: nothing is kept of it. */
  asked(socket: Duplex): void {
    if (this.sockets.delete(socket)) socket.off('close', this.gone);
  }

  private endOldest(): void {
    for (const socket of this.sockets) {
      this.asked(socket);
      socket.destroy();
      this.onDropped();
      return;
    }
  }
}
