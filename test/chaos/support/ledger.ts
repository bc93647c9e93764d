import type { Position } from '../../../src/protocol/position.js';
import type { Heard, Segment } from './heard.js';

type Fate = 'before' | 'delivered' | 'reported' | 'forgotten' | 'silent' | 'wrong';

export interface Verdict {
  /** Acknowledged publications, counted once per subscriber of their topic. */
  readonly expected: number;
  readonly delivered: number;
  /** Not delivered, and reported to the subscriber. */
  readonly reported: number;
  /**
   * Lost by an engine that went back, before it was delivered: the subscriber continues in the
   * engine's past. Must be 0 if the engine loses nothing.
   */
  readonly forgotten: number;
  /** Not delivered and not reported. Must be 0. */
  readonly silent: number;
  /** Another publication was delivered at that position. Must be 0. */
  readonly wrong: number;
  /** Positions at which two subscribers hold different publications. Must be 0. */
  readonly mixed: number;
  /** Delivered again, by offset or by content. Must be 0. */
  readonly duplicates: number;
  /** Delivered before an earlier publication. Must be 0. */
  readonly reorders: number;
  readonly faults: readonly string[];
}

/** The values that every verdict must have. */
export const flawless = {
  forgotten: 0,
  silent: 0,
  wrong: 0,
  mixed: 0,
  duplicates: 0,
  reorders: 0,
  faults: [],
} as const;

/** All acknowledged publications: what publishers rely on. */
export class Ledger {
  size = 0;
  /** The number at each position, by topic and epoch. Epochs are in the order they began. */
  private readonly topics = new Map<string, Map<string, Map<number, number>>>();
  private readonly doubled: string[] = [];

  add(topic: string, n: number, { epoch, offset }: Position): void {
    const epochs = this.topics.get(topic) ?? new Map<string, Map<number, number>>();
    const numbers = epochs.get(epoch) ?? new Map<number, number>();
    this.topics.set(topic, epochs.set(epoch, numbers));
    if (numbers.has(offset)) this.doubled.push(`${topic} ${epoch} ${String(offset)} was acknowledged twice`);
    numbers.set(offset, n);
    this.size += 1;
  }

  /** The last acknowledged position of a topic. */
  top(topic: string): Position | undefined {
    const last = [...(this.topics.get(topic) ?? [])].at(-1);
    return last && { epoch: last[0], offset: Math.max(...last[1].keys()) };
  }

  /** Whether a subscriber has reached everything that was acknowledged. */
  hasReached(topic: string, { position, segments }: Heard): boolean {
    const top = this.top(topic);
    if (top === undefined) return true;
    return (
      position !== undefined &&
      position.offset >= top.offset &&
      chainsOf(segments).at(-1)?.epochs.has(top.epoch) === true
    );
  }

  judge(subscribers: readonly ReadonlyMap<string, Heard>[]): Verdict {
    const counts: Record<Fate, number> = {
      before: 0,
      delivered: 0,
      reported: 0,
      forgotten: 0,
      silent: 0,
      wrong: 0,
    };
    let [duplicates, reorders] = [0, 0];
    const faults = [...this.doubled];
    for (const heardOf of subscribers)
      for (const [topic, heard] of heardOf) {
        this.count(topic, heard, counts);
        duplicates += heard.duplicates + repeated(heard.segments);
        reorders += heard.reorders;
        faults.push(...heard.faults);
      }
    const { before: _before, ...fates } = counts;
    const expected = Object.values(fates).reduce((sum, count) => sum + count, 0);
    return { expected, ...fates, mixed: mixedPositions(subscribers), duplicates, reorders, faults };
  }

  private count(topic: string, { segments }: Heard, counts: Record<Fate, number>): void {
    const epochs = this.topics.get(topic) ?? new Map<string, Map<number, number>>();
    const lastEpoch = [...epochs.keys()].at(-1);
    const chains = chainsOf(segments);
    for (const [epoch, numbers] of epochs)
      for (const [offset, n] of numbers) counts[fateOf(chains, epoch, offset, n, epoch === lastEpoch)] += 1;
  }
}

/** Publications received without a gap, under one epoch or several that continue each other. */
interface Chain {
  readonly epochs: Set<string>;
  readonly start: number;
  readonly untold: boolean;
  readonly numbers: { readonly epoch: string; readonly n: number }[];
}

function chainsOf(segments: readonly Segment[]): Chain[] {
  const chains: Chain[] = [];
  for (const { epoch, start, untold = false, continued, numbers } of segments) {
    const before = chains.at(-1);
    const chain = continued && before ? before : { epochs: new Set<string>(), start, untold, numbers: [] };
    if (chain !== before) chains.push(chain);
    chain.epochs.add(epoch);
    for (const n of numbers) chain.numbers.push({ epoch, n });
  }
  return chains;
}

function fateOf(
  chains: readonly Chain[],
  epoch: string,
  offset: number,
  n: number,
  isLastEpoch: boolean,
): Fate {
  let [seen, wasLeft] = [false, false];
  for (const [place, { epochs, start, untold, numbers }] of chains.entries()) {
    if (!epochs.has(epoch)) continue;
    seen = true;
    wasLeft = [...epochs].at(-1) !== epoch;
    if (offset <= start && untold) return 'silent';
    if (offset <= start) return place === 0 ? 'before' : 'reported';
    const there = numbers[offset - start - 1];
    if (there?.n === n) return 'delivered';
    // Another publication at this place: wrong under the same epoch, lost by the engine under a
    // later one.
    if (there !== undefined) return there.epoch === epoch ? 'wrong' : 'forgotten';
  }
  // The epoch began and ended while the subscriber was away, and was delivered under a later one.
  if (!seen && chains.some(({ start, numbers }) => numbers[offset - start - 1]?.n === n)) return 'delivered';
  // The stream continued under another epoch from before the end of this one.
  if (wasLeft) return 'forgotten';
  // Beyond what was received of the stream: reported only by a start in another stream.
  if (seen) return chains.at(-1)?.epochs.has(epoch) === true ? 'silent' : 'reported';
  return isLastEpoch ? 'silent' : 'reported';
}

/** Publications that arrived more than once, at different positions. */
function repeated(segments: readonly Segment[]): number {
  const all = segments.flatMap(({ numbers }) => numbers);
  return all.length - new Set(all).size;
}

/** Positions at which subscribers hold different publications, acknowledged or not. */
function mixedPositions(subscribers: readonly ReadonlyMap<string, Heard>[]): number {
  const held = new Map<string, number>();
  const mixed = new Set<string>();
  for (const heardOf of subscribers)
    for (const [topic, { segments }] of heardOf)
      for (const { epoch, start, numbers } of segments)
        for (const [i, n] of numbers.entries()) {
          const position = `${topic} ${epoch} ${String(start + 1 + i)}`;
          if ((held.get(position) ?? n) !== n) mixed.add(position);
          held.set(position, n);
        }
  return mixed.size;
}
