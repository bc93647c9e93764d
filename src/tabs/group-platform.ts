import type { Platform } from '../client/platform.js';
import type { WebSocketConstructor } from '../client/wire.js';

/** What tabs say to each other. */
export interface TabMessage {
  readonly from: string;
  /** The receiver; all others if absent. */
  readonly to?: string;
  readonly kind:
    'who' | 'lead' | 'none' | 'ping' | 'pong' | 'dial' | 'opened' | 'message' | 'send' | 'closed' | 'close';
  /** The socket of the tab that is not the leader. */
  readonly socket?: number;
  readonly url?: string;
  readonly token?: string | undefined;
  readonly text?: string;
  readonly code?: number;
}

export interface TabChannel {
  post(message: TabMessage): void;
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
