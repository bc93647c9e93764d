import { CloseCode } from '../../protocol/codes.js';
import type { Observer } from '../ports/observer.js';
import type { Connection } from './connection.js';
import type { Heartbeat } from './heartbeat.js';
import type { Registry } from './registry.js';

const failure = [CloseCode.internalError, 'the server failed'] as const;

/** Adds connections to the registry and removes them, completely or not at all. */
export class Arrivals {
  constructor(
    private readonly registry: Registry,
    private readonly heartbeat: Heartbeat,
    private readonly observer: Observer,
    /** Called after each connection that has left. */
    private readonly onLeft: () => void,
  ) {}

  /**
   * Sends the welcome. If anything throws, the connection is removed, its socket is terminated, and
   * the error is rethrown.
   */
  enter(connection: Connection, welcomeText: () => string): void {
    let announced = false;
    try {
      this.registry.add(connection);
      this.heartbeat.welcome(connection);
      connection.greet(welcomeText());
      announced = true;
      this.observer.opened(connection);
    } catch (error) {
      // Report the end here, because the owner of the socket gets the session only after this call.
      this.registry.remove(connection);
      connection.terminate(...failure);
      if (announced) this.observer.closed(connection, ...failure);
      this.onLeft();
      throw error;
    }
  }

  /** The socket is gone. */
  left(connection: Connection, code: number, reason: string): void {
    if (!this.registry.remove(connection)) return;
    try {
      this.observer.closed(connection, code, reason);
    } finally {
      this.onLeft();
    }
  }
}
