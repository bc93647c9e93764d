import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/**
 * The sockets of an HTTP server shared with others. On close, Node waits forever for sockets that
 * never sent a request, or were answered before their request was complete. `dropIdle` closes only
 * those.
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

  /** An upgraded socket is no longer HTTP; its new owner closes it. */
  upgraded(socket: Duplex): void {
    this.exchanges.delete(socket);
  }

  /** Closes idle sockets, now and later. Call it just before the server closes. */
  dropIdle(): void {
    this.dropping = true;
    for (const [socket, exchange] of this.exchanges) {
      const answered = exchange?.response.writableFinished ?? true;
      if (answered && exchange?.request.complete !== true) socket.destroy();
    }
  }
}
