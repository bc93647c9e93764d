import type { Duplex } from 'node:stream';

/** More than the handshakes in flight at peak load. */
const maxSilent = 4_096;

/**
 * Sockets of the live server's own port that have not sent a request. Each costs a file descriptor
 * until a timeout of seconds closes it, so beyond the limit the oldest is closed. A client sends
 * within a round trip.
 */
export class SilentSockets {
  /** Called for each socket closed to make room. */
  onDropped: () => void = () => {};
  private readonly sockets = new Set<Duplex>();
  /** One shared `close` listener for all sockets. */
  private readonly gone: (this: Duplex) => void;

  constructor(private readonly maxSockets = maxSilent) {
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
    if (this.sockets.size > this.maxSockets) this.closeOldest();
  };

  /** Stops tracking a socket that has sent a request. */
  asked(socket: Duplex): void {
    if (this.sockets.delete(socket)) socket.off('close', this.gone);
  }

  private closeOldest(): void {
    for (const socket of this.sockets) {
      this.asked(socket);
      socket.destroy();
      this.onDropped();
      return;
    }
  }
}
