import type { Connection } from '../connection/connection.js';

/** Told what happens, for logs and metrics. No member may throw, wait, or keep what it is given. */
export interface Observer {
  opened(connection: Connection): void;
  /** After the connection has left the registry. */
  closed(connection: Connection, code: number, reason: string): void;
  /** `type` is one that a handler takes, or `invalid`, or `unknown`: never the peer's own words. */
  inbound(type: string): void;
  /** `count` frames of this type were handed to connections. */
  outbound(type: string, count: number): void;
  /** An error that is ours: a handler, a hook, a provider, a broker. `doing` says what was being done. */
  failed(doing: string, error: unknown, connection?: Connection): void;
}

/** Listens and says nothing. */
export const silentObserver: Observer = {
  opened() {},
  closed() {},
  inbound() {},
  outbound() {},
  failed() {},
};
