import type { Platform } from '../client/platform.js';
import type { WebSocketConstructor } from '../client/wire.js';

/** What a tab wants of one of its sockets, which it numbers. */
export type SocketWish =
  | {
      readonly kind: 'dial';
      readonly socket: number;
      readonly url: string;
      readonly token: string | undefined;
    }
  | { readonly kind: 'send'; readonly socket: number; readonly text: string }
  | { readonly kind: 'close'; readonly socket: number };

/** What a tab wants of the leader. */
export type TabWish = { readonly kind: 'who' } | SocketWish;

/** What the leader says of a socket of another tab. */
export type TabAnswer =
  | { readonly kind: 'message'; readonly socket: number; readonly text: string }
  | { readonly kind: 'closed'; readonly socket: number; readonly code: number; readonly text: string };

/** What tabs say to each other. `none` is the answer of a tab that does not lead. */
export type TabSpeech = TabWish | TabAnswer | { readonly kind: 'lead' } | { readonly kind: 'none' };

export type From<Speech> = Speech & {
  readonly from: string;
  /** The receiver; all others if absent. */
  readonly to: string | undefined;
};

export type TabMessage = From<TabSpeech>;

/** What is used of a `BroadcastChannel`. */
export interface TabChannel {
  postMessage(message: TabMessage): void;
  close(): void;
}

/** What a tab needs from its browser. Tests replace it. */
export interface GroupPlatform extends Platform {
  readonly webSocket: WebSocketConstructor;
  /** Makes a name that no other tab has. */
  name(): string;
  /** Whether its user sees the page, so that its timers run in time. */
  readonly visible: boolean;
  /** Messages between all tabs that use the same name, in the order of each sender. */
  channel(name: string, receive: (message: TabMessage) => void): TabChannel;
  /**
   * Holds the lock from the call of `held` until its promise settles or `release` is aborted.
   * `steal` takes it from whoever holds it. Rejects if it was stolen or is not available at all.
   */
  lock(
    name: string,
    held: () => Promise<void>,
    options: { steal?: true; signal?: AbortSignal },
  ): Promise<void>;
  /** The page is about to be frozen, cached or closed. */
  onRest(listener: () => void, signal: AbortSignal): void;
}
