import { idempotencyMs } from '../../core/ports/broker.js';
import type { Position } from '../../protocol/position.js';

/**
 * Remembers idempotency keys for five minutes; beyond the bound the oldest are forgotten earlier.
 */
export class Receipts {
  // Ordered by time, because all are kept for the same time.
  private readonly byName = new Map<string, { readonly position: Position; readonly atMs: number }>();

  constructor(private readonly maxKeys: number) {}

  get size(): number {
    return this.byName.size;
  }

  /** The position of the first publication with this key. */
  find(topic: string, key: string, nowMs: number): Position | undefined {
    this.expire(nowMs);
    return this.byName.get(nameOf(topic, key))?.position;
  }

  add(topic: string, key: string, position: Position, nowMs: number): void {
    this.expire(nowMs);
    this.byName.set(nameOf(topic, key), { position, atMs: nowMs });
    if (this.byName.size > this.maxKeys) this.forgetOldest();
  }

  expire(nowMs: number): void {
    for (const { atMs } of this.byName.values()) {
      if (nowMs - atMs <= idempotencyMs) return;
      this.forgetOldest();
    }
  }

  clear(): void {
    this.byName.clear();
  }

  private forgetOldest(): void {
    for (const name of this.byName.keys()) {
      this.byName.delete(name);
      return;
    }
  }
}

/** The length prefix tells `t` with `:k` from `t:` with `k`. */
function nameOf(topic: string, key: string): string {
  return `${String(topic.length)}:${topic}${key}`;
}
