import type { RequestId } from '../../protocol/messages.js';
import type { Connection } from './connection.js';

interface Answered {
  readonly topic: string;
  readonly id: RequestId | undefined;
}

/** Subscribes that have sent their answer, by connection. Usually empty. */
const answeredOf = new WeakMap<Connection, Answered[]>();

/** Records that a subscribe has sent its answer before its handler returned. [L-3.10] */
export function noteAnswered(connection: Connection, topic: string, id: RequestId | undefined): void {
  const answered = answeredOf.get(connection);
  if (answered === undefined) answeredOf.set(connection, [{ topic, id }]);
  else answered.push({ topic, id });
}

/** Returns whether this subscribe has sent its answer, and removes the record. */
export function takeAnswered(connection: Connection, topic: string, id: RequestId | undefined): boolean {
  const answered = answeredOf.get(connection);
  const place = answered?.findIndex((each) => each.topic === topic && each.id === id) ?? -1;
  if (answered === undefined || place < 0) return false;
  answered.splice(place, 1);
  if (answered.length === 0) answeredOf.delete(connection);
  return true;
}
