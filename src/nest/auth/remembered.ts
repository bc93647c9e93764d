/** Remembers up to `capacity` values for `ttlMs` milliseconds each; the oldest goes first. Has no timer. */
export class Remembered<Value> {
  private readonly entries = new Map<string, { readonly value: Value; readonly until: number }>();

  constructor(
    private readonly ttlMs: number,
    private readonly capacity: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Entries in memory, also those that are too old to be handed out. */
  get size(): number {
    return this.entries.size;
  }

  /** `undefined` when it was never set, is too old, or had to go. */
  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    return entry && entry.until > this.now() ? entry.value : undefined;
  }

  /** Starts the value's time anew. */
  set(key: string, value: Value): void {
    // Out and in again, so that the order of entries stays the order in which they end.
    this.entries.delete(key);
    this.entries.set(key, { value, until: this.now() + this.ttlMs });
    for (const [oldest, { until }] of this.entries) {
      if (until > this.now() && this.entries.size <= this.capacity) return;
      this.entries.delete(oldest);
    }
  }
}
