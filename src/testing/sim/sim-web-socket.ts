import type { WebSocketConstructor, WebSocketLike } from '../../client/wire.js';
import { bearerPrefix } from '../../protocol/subprotocol.js';
import type { ClientEnd, SimLink } from './sim-link.js';

/** Opens a connection with a credential. */
export type Dial = (token: string, end: ClientEnd) => Pick<SimLink, 'send' | 'leave'>;

type Listener = (event: object) => void;

/** A WebSocket like that of a browser, over the network of a simulation. */
export function simWebSocket(dial: Dial): WebSocketConstructor {
  return class SimWebSocket implements WebSocketLike {
    private readonly listeners = new Map<string, Listener>();
    private readonly link: ReturnType<Dial>;

    constructor(_url: string, protocols: string[]) {
      const bearer = protocols.find((protocol) => protocol.startsWith(bearerPrefix)) ?? '';
      this.link = dial(bearer.slice(bearerPrefix.length), {
        opened: () => this.emit('open', {}),
        message: (data) => this.emit('message', { data }),
        closed: (code, reason) => this.emit('close', { code, reason }),
      });
    }

    addEventListener(type: string, listener: Listener): void {
      this.listeners.set(type, listener);
    }

    send(text: string): void {
      this.link.send(text);
    }

    close(code?: number, reason?: string): void {
      this.link.leave(code, reason);
    }

    private emit(type: string, event: object): void {
      this.listeners.get(type)?.(event);
    }
  };
}
