import type { Position } from '../../protocol/position.js';

/**
 * Positions of the publications with an idempotency key that this instance made or received, by the
 * id of their message: the stream may drop a message before the server forgets its id. Bounded.
 */
export class FirstPositions {
  // Two generations instead of an LRU list, as in `Seen`.
  private young = new Map<string, Position>();
  private old = new Map<string, Position>();

  constructor(private readonly max: number) {}

  get(id: string): Position | undefined {
    return this.young.get(id) ?? this.old.get(id);
  }

  add(id: string, epoch: string, offset: number): void {
    if (this.young.size >= this.max / 2) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(id, { epoch, offset });
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}
