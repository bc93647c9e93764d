/**
 * Position of a subscriber in a topic. If the epoch is the same and offsets are contiguous, nothing
 * was lost.
 * - `epoch` is an opaque string that the store assigns. It changes when the stream is lost.
 * - `offset` is an integer that starts at 1 and grows by one per publication. 0 means "before the
 *   first".
 */
export interface Position {
  /** Opaque, 1 to 64 characters; compare it for equality only. */
  readonly epoch: string;
  /** An integer from 0. */
  readonly offset: number;
}

/** Maximum accepted length of an epoch, in characters. */
export const maxEpochLength = 64;

/** Whether `value` has the shape of a position. [L-5.2] */
export function isPosition(value: unknown): value is Position {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, offset } = value as Record<string, unknown>;
  return (
    typeof epoch === 'string' &&
    epoch.length > 0 &&
    epoch.length <= maxEpochLength &&
    Number.isSafeInteger(offset) &&
    (offset as number) >= 0
  );
}
