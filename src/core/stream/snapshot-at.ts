import type { Position } from '../../protocol/position.js';

/** State provided by the application, with the position that it represents. */
export class SnapshotAt {
  constructor(
    /** Position of the last publication that the state contains. */
    readonly position: Position,
    /** The state, as a JSON value. */
    readonly state: unknown,
  ) {}
}

/**
 * Wraps the result of a `snapshot` function that knows its position, because the store keeps the
 * position of the last publication it has applied. Later publications follow as events, so nothing
 * is applied twice. [L-6.4]
 *
 * @param position - as returned by `LiveService.publish`
 */
export function snapshotAt(position: Position, state: unknown): SnapshotAt {
  return new SnapshotAt(position, state);
}

export class TooLarge extends Error {}

/** Returns `undefined` if there is no state. */
export function textOf(state: unknown): string | undefined {
  return JSON.stringify(state) as string | undefined;
}
