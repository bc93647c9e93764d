/**
 * A bounded map that forgets what was not used lately. It has two generations instead of an LRU
 * list: a use moves an entry to the young one, and the old one is dropped as a whole.
 */
export class Generations<T> {
  private young = new Map<string, T>();
  private old = new Map<string, T>();

  /** At least the `max / 2` entries used last are kept, and at most `max`. */
  constructor(private readonly max: number) {}

  get size(): number {
    return this.young.size + this.old.size;
  }

  get(key: string): T | undefined {
    return this.young.get(key) ?? this.old.get(key);
  }

  /** As `get`, and counts as a use. */
  use(key: string): T | undefined {
    const young = this.young.get(key);
    if (young !== undefined) return young;
    const value = this.old.get(key);
    if (value === undefined) return undefined;
    this.old.delete(key);
    this.set(key, value);
    return value;
  }

  set(key: string, value: T): void {
    if (this.young.size >= this.max / 2) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, value);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}
