/**
 * Where a subscriber stands in a topic. Same epoch and contiguous offsets: nothing was lost.
 * `epoch` is opaque and made by whoever stores the stream; it changes when the stream was lost.
 * `offset` is an integer that rises by one per publication, from 1; 0 is "before the first".
 */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** Longest epoch that is looked at, in characters. */
export const maxEpochLength = 64;

/** Whether `value`, whatever it is, has the shape of a position. [L-5.2] */
export function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, offset } = value as Record<string, unknown>;
  return (
    typeof epoch === 'string' &&
    epoch.length > 0 &&
    epoch.length <= maxEpochLength &&
    typeof offset === 'number' &&
    Number.isSafeInteger(offset) &&
    offset >= 0
  );
}
