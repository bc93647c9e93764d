import type { OutboxContext } from '../outbound/outbox.js';
import type { Clock } from '../ports/clock.js';
import type { LiveConnection } from '../ports/connection.js';

/** Shared by all connections of a server. */
export interface ConnectionContext extends OutboxContext {
  readonly clock: Clock;
  readonly observer: {
    outbound(type: string, count: number): void;
    failed(doing: string, error: unknown, connection: LiveConnection): void;
  };
}
