import type { WebSocketConstructor, WebSocketLike } from '../client/wire.js';
import { bearerPrefix } from '../protocol/subprotocol.js';
import type { Member, MemberLink } from './member.js';

/** Opens one socket of this tab. */
export type Dial = (member: Member, url: string, token?: string) => MemberLink;

type Listener = (event: object) => void;

/** A class of WebSockets that a tab uses like those of the browser. */
export function socketsOver(dial: Dial): WebSocketConstructor {
  return class SharedSocket implements WebSocketLike {
    readonly #listeners = new Map<string, Listener>();
    readonly #link: MemberLink;

    constructor(url: string, protocols: string[]) {
      let isOpen = false;
      const emit = (type: string, event: object): void => this.#listeners.get(type)?.(event);
      this.#link = dial(
        {
          message(data) {
            if (!isOpen) emit('open', {});
            isOpen = true;
            emit('message', { data });
          },
          closed: (code, reason) => emit('close', { code, reason }),
        },
        url,
        protocols[1]?.slice(bearerPrefix.length),
      );
    }

    addEventListener(type: string, listener: Listener): void {
      this.#listeners.set(type, listener);
    }

    send(text: string): void {
      this.#link.send(text);
    }

    close(): void {
      this.#link.close();
    }
  };
}
