import type { WebSocketConstructor } from '../client/wire.js';
import { browser } from './browser.js';
import { Group } from './group.js';
import type { MemberLink } from './member.js';
import { socketsOver } from './shared-socket.js';

/** The part of a `SharedWorker` that is used. */
export interface StartedWorker {
  /** The port to the worker. */
  readonly port: {
    /** Sends the name of the group that the worker is to lead. */
    postMessage(name: string): void;
  };
}

/** Options of `shared`. */
export interface SharedOptions {
  /**
   * Whose connection it is, such as a user id. Tabs share one only if they say the same. Required
   * where a cookie authenticates the client, because no page can see whose cookie it is.
   * @default the credential: tabs share a connection only if they present the same one
   */
  readonly as?: string | undefined;
  /**
   * Starts a shared worker that calls `serveTabs()`. It leads the tabs, and is never hidden or
   * frozen. Without it, or where it does not start within 500 ms, one of the tabs leads.
   */
  readonly worker?: (() => StartedWorker) | undefined;
}

/** How long tabs wait for the worker to lead them. */
const workerMs = 500;

/**
 * A class of WebSockets with one connection for all tabs of a browser:
 * `connect(url, { webSocket: shared({ as: userId }) })`. Each tab keeps its own subscriptions and
 * starts. Returns `undefined`, so that the client uses the WebSocket of the runtime, where the
 * browser has no Web Locks or no BroadcastChannel, or the page is not secure.
 * @throws TypeError when a client connects, if there is neither `as` nor a credential
 */
export function shared({ as, worker }: SharedOptions = {}): WebSocketConstructor | undefined {
  const platform = browser();
  if (platform === undefined) return undefined;
  const groups = new Map<string, Group>();
  const join = (name: string): Group => {
    const found = groups.get(name);
    if (found !== undefined) return found;
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- it has none
    worker?.().port.postMessage(name);
    const group = new Group(name, platform, () => groups.delete(name), worker && workerMs);
    groups.set(name, group);
    return group;
  };
  return socketsOver((member, url, token) => {
    if (as === undefined && token === undefined) throw new TypeError('shared() needs `as` or a credential');
    let link: MemberLink | undefined;
    let isOver = false;
    // The name of the group shows neither.
    void platform.digest(JSON.stringify([url, as ?? null, as === undefined && token])).then((digest) => {
      if (!isOver) link = join(digest).dial(member, url, token);
    });
    return {
      send: (text) => link?.send(text),
      close: () => {
        isOver = true;
        link?.close();
      },
    };
  });
}
