import type { Position } from '../../protocol/position.js';

/** A state of the application's own, together with the position that it stands for. */
export class SnapshotAt {
  constructor(
    readonly position: Position,
    readonly state: unknown,
  ) {}
}

/**
 * For a `snapshot` that knows its position, because the store keeps the position of the last publication that it has
 * seen: what was published after it follows as events, so nothing is applied twice. [L-6.4]
 *
 * @param position as `LiveService.publish` returned it
 * @publicApi
 */
export function snapshotAt(position: Position, state: unknown): SnapshotAt {
  return new SnapshotAt(position, state);
}
