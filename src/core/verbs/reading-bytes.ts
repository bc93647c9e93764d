import { Buffer } from 'node:buffer';
import type { Publication, StreamReading } from '../ports/broker.js';
import type { Snapshot } from '../fanout/snapshot-run.js';
import type { RequestId } from '../../protocol/client-messages.js';

function bytesOf(publications: readonly Publication[] | undefined): number {
  return (publications ?? []).reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
}

export function bytesOfReading({ missed }: StreamReading): number {
  return bytesOf(missed);
}

export function bytesOfSnapshot(snapshot: Snapshot | undefined): number {
  return Buffer.byteLength(snapshot?.text ?? '') + bytesOf(snapshot?.missed);
}

/**
 * Returns the longest id, so that requests which share an answer are all answered or all refused.
 */
export function longest(ids: readonly (RequestId | undefined)[]): RequestId | undefined {
  const lengthOf = (id: RequestId | undefined): number => Buffer.byteLength(JSON.stringify(id) ?? '');
  return ids.reduce((one, other) => (lengthOf(other) > lengthOf(one) ? other : one), undefined);
}
