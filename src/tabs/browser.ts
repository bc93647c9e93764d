import { defaultPlatform } from '../client/platform.js';
import type { WebSocketConstructor } from '../client/wire.js';
import type { GroupPlatform, TabChannel, TabMessage } from './group-platform.js';

/** The parts of a browser that are used. */
interface Browser {
  readonly WebSocket?: WebSocketConstructor;
  readonly origin?: string;
  readonly navigator?: { readonly locks?: Locks };
  readonly document?: { readonly visibilityState: string; readonly addEventListener: Listen };
  readonly crypto: {
    randomUUID(): string;
    readonly subtle: { digest(algorithm: string, data: Uint8Array): Promise<ArrayBuffer> };
  };
  readonly BroadcastChannel?: new (name: string) => Channel;
  readonly addEventListener?: Listen;
}

type Listen = (type: string, listener: () => void, options: { readonly signal: AbortSignal }) => void;

interface Channel extends TabChannel {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

interface Locks {
  request(name: string, options: object, held: () => Promise<void>): Promise<void>;
}

/** A browser's platform, and names that show nothing of what they are made from. */
export interface BrowserPlatform extends GroupPlatform {
  digest(text: string): Promise<string>;
}

/** `undefined` where tabs cannot reach each other, as in a sandboxed frame. */
export function browser(): BrowserPlatform | undefined {
  const it = globalThis as unknown as Browser;
  const { WebSocket, BroadcastChannel, navigator, document, crypto } = it;
  const locks = navigator?.locks;
  if (it.origin === 'null' || !locks || !BroadcastChannel || !WebSocket) return undefined;
  return {
    ...defaultPlatform(),
    webSocket: WebSocket,
    name: () => crypto.randomUUID(),
    get visible() {
      return document?.visibilityState === 'visible';
    },
    channel(name, receive) {
      const channel = new BroadcastChannel(name);
      channel.addEventListener('message', ({ data }) => receive(data as TabMessage));
      return channel;
    },
    lock: (name, held, options) => locks.request(name, options, held),
    onRest(listener, signal) {
      document?.addEventListener('freeze', listener, { signal });
      it.addEventListener?.('pagehide', listener, { signal });
    },
    async digest(text) {
      const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
      return `nestjs-live ${new Uint8Array(bytes).join('.')}`;
    },
  };
}
