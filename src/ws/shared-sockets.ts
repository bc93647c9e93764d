import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * The sockets of an http server that others share. When it closes, Node waits for those that have never asked for anything,
 * or were answered before they had sent all of it, and no timeout runs any more: `dropIdle` ends these, and no others.
 */
export class SharedSockets {
  private readonly exchanges = new Map<Duplex, Exchange | undefined>();
  private dropping = false;

  readonly connected = (socket: Duplex): void => {
    if (this.dropping) {
      socket.destroy();
      return;
    }
    this.exchanges.set(socket, undefined);
    socket.once('close', () => this.exchanges.delete(socket));
  };

  asked(request: IncomingMessage, response: ServerResponse): void {
    if (this.exchanges.has(request.socket)) this.exchanges.set(request.socket, { request, response });
  }

  /** It is no http any more: whoever took it closes it. */
  upgraded(socket: Duplex): void {
    this.exchanges.delete(socket);
  }

  /** From now on; to be called when the server is about to close. */
  dropIdle(): void {
    this.dropping = true;
    for (const [socket, exchange] of this.exchanges) {
      const answered = exchange?.response.writableFinished ?? true;
      if (answered && exchange?.request.complete !== true) socket.destroy();
    }
  }
}
