import type { Connection } from './connection.js';

/** Topics whose subscribe has sent its answer, by connection; mostly there are none. */
const topicsOf = new WeakMap<Connection, Set<string>>();

/** A subscribe sends its answer itself, before its handler has returned. [L-3.10] */
export function noteAnswered(connection: Connection, topic: string): void {
  const topics = topicsOf.get(connection);
  if (topics === undefined) topicsOf.set(connection, new Set([topic]));
  else topics.add(topic);
}

/** Whether the subscribe to this topic has sent its answer; forgets it. */
export function takeAnswered(connection: Connection, topic: unknown): boolean {
  const topics = topicsOf.get(connection);
  if (topics === undefined || !topics.delete(topic as string)) return false;
  if (topics.size === 0) topicsOf.delete(connection);
  return true;
}
