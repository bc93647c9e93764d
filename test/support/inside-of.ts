import { Connection } from '../../src/core/connection/connection.js';
import type { LiveConnection } from '../../src/index.js';

/** The server's own side of a connection, which applications do not get. */
export function insideOf(connection: LiveConnection | undefined): Connection {
  if (connection instanceof Connection) return connection;
  throw new Error('This is no connection of the server');
}
