/**
 * Remembers up to `capacity` values for `ttlMs` milliseconds each; drops the oldest first. Uses no
 * timer.
 */
export class Remembered<Value> {
  private readonly entries = new Map<string, { readonly value: Value; readonly until: number }>();

  constructor(
    private readonly ttlMs: number,
    private readonly capacity: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Entries in memory, including expired ones. */
  get size(): number {
    return this.entries.size;
  }

  /** Returns `undefined` if the value was never set, has expired, or was dropped. */
  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    return entry && entry.until > this.now() ? entry.value : undefined;
  }

  /** Sets a value and restarts its time. */
  set(key: string, value: Value): void {
    // Reinsert, so that entries stay ordered by their end.
    this.entries.delete(key);
    this.entries.set(key, { value, until: this.now() + this.ttlMs });
    for (const [oldest, { until }] of this.entries) {
      if (until > this.now() && this.entries.size <= this.capacity) return;
      this.entries.delete(oldest);
    }
  }
}
