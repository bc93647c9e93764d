import { CloseCode } from '../../protocol/codes.js';
import type { Observer } from '../ports/observer.js';
import type { Connection } from './connection.js';
import type { Heartbeat } from './heartbeat.js';
import type { Registry } from './registry.js';

const failure = [CloseCode.internalError, 'the server failed'] as const;

/** Takes connections into the registry and out of it: whole, or not at all. */
export class Arrivals {
  /** Called after each connection that has left. */
  onLeft: () => void = () => {};

  constructor(
    private readonly registry: Registry,
    private readonly heartbeat: Heartbeat,
    private readonly observer: Observer,
  ) {}

  /** Sends the welcome. Where anything throws, nothing is left of the connection, its socket is terminated, and it throws. */
  enter(connection: Connection, welcomeText: () => string): void {
    let announced = false;
    try {
      this.registry.add(connection);
      this.heartbeat.welcome(connection);
      connection.greet(welcomeText());
      announced = true;
      this.observer.opened(connection);
    } catch (error) {
      // Nobody else would report its end: whoever serves the socket gets the session only after this.
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
