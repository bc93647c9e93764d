import type { Connection } from '../connection/connection.js';

/** Told who subscribes to one topic here, and who no longer does. */
export interface Audience {
  joined(connection: Connection): void;
  left(connection: Connection): void;
}
