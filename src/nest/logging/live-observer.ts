import type { Observer } from '../../core/ports/observer.js';
import type { HandshakeResult } from '../../ws/refusal.js';

/**
 * Receives the events of the live server. Methods must not block. `failed` receives every failure
 * of the server and of the application's handlers, hooks and topics, so an error tracker belongs
 * there.
 */
export interface LiveObserver extends Observer {
  /**
   * An upgrade was decided; `address` is the client's. `reason` says for the log why it was
   * refused. It may contain the application's own words but no credential, and is not suitable as a
   * metric label.
   */
  handshake(result: HandshakeResult, address: string, reason?: string): void;
  /** A credential sent over an open connection was refused; `reason` as above. */
  credentialRefused(reason: string): void;
  /** A silent socket of the own port was closed to make room for a newer one. */
  droppedSilent(): void;
}

/**
 * Where an application registers observers of its own. Inject it into a provider:
 * `observers.add({ failed: (doing, error) => captureException(error) })`.
 */
export abstract class LiveObservers {
  /** Adds an observer. Errors that it throws or rejects with are logged and stop nothing. */
  abstract add(observer: Partial<LiveObserver>): void;
}
