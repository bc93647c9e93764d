/** A count that only grows. */
export interface Count {
  total: number;
}

/** What every label counts as that there is no room for. */
export const otherLabel = 'other';

/** A short word of printable ASCII: it stays one label, and stays apart from others, in every exposition format. */
const plain = /^[ -~]{1,64}$/;

/**
 * Counts by a label whose values are bounded: the known ones, which are there from the start with 0, new ones while
 * there are fewer than `most`, and `other` for the rest.
 */
export class LabelCounts {
  private readonly counts = new Map<string, Count>();
  private readonly other: Count = { total: 0 };

  /** @param most values beside `other`. @default no more than the known */
  constructor(
    known: readonly string[],
    private readonly most = known.length,
  ) {
    for (const label of known) this.counts.set(label, { total: 0 });
  }

  /** Called for each publication: makes nothing for a label that it has seen. */
  add(label: string, count: number): void {
    (this.counts.get(label) ?? this.admit(label)).total += count;
  }

  *[Symbol.iterator](): IterableIterator<[label: string, total: number]> {
    for (const [label, { total }] of this.counts) yield [label, total];
    yield [otherLabel, this.other.total];
  }

  private admit(label: string): Count {
    if (this.counts.size >= this.most || label === otherLabel || !plain.test(label)) return this.other;
    const count = { total: 0 };
    this.counts.set(label, count);
    return count;
  }
}
