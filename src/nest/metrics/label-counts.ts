/** A count that only grows. */
export interface Count {
  total: number;
}

/** The label of everything that exceeds the bound. */
export const otherLabel = 'other';

/** A short text of printable ASCII, which every exposition format keeps as one distinct label. */
const plain = /^[ -~]{1,64}$/;

/**
 * Counts by a label with a bounded set of values: known ones, which exist from the start with 0;
 * new ones up to `maxLabels`; and `other` for the rest.
 */
export class LabelCounts {
  private readonly counts = new Map<string, Count>();
  private readonly other: Count = { total: 0 };

  /** @param maxLabels - maximum values besides `other`. @default the known ones only */
  constructor(
    known: readonly string[],
    private readonly maxLabels = known.length,
  ) {
    for (const label of known) this.counts.set(label, { total: 0 });
  }

  /** Called for each publication: allocates nothing for a known label. */
  add(label: string, count: number): void {
    (this.counts.get(label) ?? this.admit(label)).total += count;
  }

  *[Symbol.iterator](): IterableIterator<[label: string, total: number]> {
    for (const [label, { total }] of this.counts) yield [label, total];
    yield [otherLabel, this.other.total];
  }

  private admit(label: string): Count {
    if (this.counts.size >= this.maxLabels || label === otherLabel || !plain.test(label)) return this.other;
    const count = { total: 0 };
    this.counts.set(label, count);
    return count;
  }
}
