/** The place of a value in a `Recency`. */
export class Place<T> {
  /** @internal */
  older: Place<T> | undefined;
  /** @internal */
  newer: Place<T> | undefined;

  constructor(readonly value: T) {}
}

/**
 * Values in the order of their last use: a doubly linked list. A `Map` whose entries are deleted
 * and set again has the same order, but hashes the key twice and is copied again and again.
 */
export class Recency<T> {
  private oldest: Place<T> | undefined;
  private newest: Place<T> | undefined;

  /** Adds a place, or moves it to the end. */
  use(place: Place<T>): void {
    if (place === this.newest) return;
    this.remove(place);
    place.older = this.newest;
    if (this.newest === undefined) this.oldest = place;
    else this.newest.newer = place;
    this.newest = place;
  }

  /** Does nothing for a place that is not here. */
  remove(place: Place<T>): void {
    const { older, newer } = place;
    if (older === undefined && newer === undefined && this.oldest !== place) return;
    if (older === undefined) this.oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.newest = older;
    else newer.older = older;
    place.older = place.newer = undefined;
  }

  clear(): void {
    this.oldest = this.newest = undefined;
  }

  /** The values from the one used longest ago. The current one may be removed. */
  *[Symbol.iterator](): Generator<T> {
    for (let place = this.oldest; place !== undefined;) {
      const { value, newer } = place;
      place = newer;
      yield value;
    }
  }
}
