import { holdLimits } from '../fanout/hold-buffer.js';
import type { Healing, Topic } from '../fanout/topic.js';
import type { Publication } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';

/** Characters of JSON text that all topics together hold back meanwhile. */
const maxCharsOfAll = 67_108_864;

/** What all of them hold back together. */
export interface HealingBudget {
  chars: number;
}

/** A publication that came while something was missing before it. */
export interface Early {
  readonly epoch: string;
  readonly publication: Publication;
}

/** A topic in which something is missing: what comes meanwhile waits here, bounded, until that is found or given up. */
export class HealingTopic implements Healing {
  /** Readings that contradicted what was delivered. */
  contradictions = 0;
  tried: Promise<void>;
  private early: Early[] = [];
  /** How many of them came before the reading that is under way was asked for. */
  private beforeReading = 0;
  private chars = 0;
  /** Whether something did not fit since the reading under way was asked for: nothing is here then. */
  private overflowed = false;
  private asked: Position;
  private settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void };

  constructor(
    readonly topic: Topic,
    private readonly budget: HealingBudget,
    private readonly onOver: (healing: HealingTopic) => void,
  ) {
    this.asked = this.position;
    [this.tried, this.settle] = deferred();
  }

  /** Where the topic stands. */
  get position(): Position {
    const { epoch = '', offset } = this.topic;
    return { epoch, offset };
  }

  get queuedBytes(): number {
    return this.chars;
  }

  get isOver(): boolean {
    return this.topic.healing !== this;
  }

  /** Whether the topic has gone on without this since the reading was asked for. */
  get hasMoved(): boolean {
    return this.topic.epoch !== this.asked.epoch || this.topic.offset !== this.asked.offset;
  }

  /** Whether something came that no reading so far can tell about. */
  get isBehind(): boolean {
    return this.early.length > 0 || this.overflowed;
  }

  take(epoch: string, publication: Publication): void {
    const chars = publication.data.length;
    const tooMuch =
      this.early.length >= holdLimits.count ||
      this.chars + chars > holdLimits.bytes ||
      this.budget.chars + chars > maxCharsOfAll;
    if (tooMuch) this.drop();
    this.overflowed ||= tooMuch;
    if (this.overflowed) return;
    this.early.push({ epoch, publication });
    this.chars += chars;
    this.budget.chars += chars;
  }

  /** A reading is asked for now, and tells about everything that has come until now. */
  ask(): Position {
    this.overflowed = false;
    this.beforeReading = this.early.length;
    this.asked = this.position;
    return this.asked;
  }

  /** Whether something was delivered that the reading, which was asked for later, does not know. */
  contradicts(top: Position): boolean {
    if (this.asked.epoch === top.epoch && top.offset < this.asked.offset) return true;
    return this.early
      .slice(0, this.beforeReading)
      .some(({ epoch, publication: { offset } }) => epoch === top.epoch && offset > top.offset);
  }

  /** Takes out what belongs to the stream that was read, in order; keeps what has come of another one since. */
  takeOut(top: Position): Publication[] {
    const ours: Publication[] = [];
    const others: Early[] = [];
    this.early.forEach((early, place) => {
      const { epoch, publication } = early;
      const isKnown = place < this.beforeReading;
      if (epoch !== top.epoch) {
        if (!isKnown) others.push(early);
      } else if (!isKnown || publication.offset <= top.offset) {
        ours.push(publication);
      }
    });
    this.drop();
    this.putBack(others);
    return ours.toSorted((one, other) => one.offset - other.offset);
  }

  putBack(all: readonly Early[]): void {
    for (const { epoch, publication } of all) this.take(epoch, publication);
  }

  /** The reading under way has failed; who waits for it is told. */
  failed(error: unknown): void {
    const { reject } = this.settle;
    [this.tried, this.settle] = deferred();
    reject(error);
  }

  over(): void {
    if (this.isOver) return;
    this.topic.healing = undefined;
    this.drop();
    this.settle.resolve();
    this.onOver(this);
  }

  private drop(): void {
    this.budget.chars -= this.chars;
    this.chars = 0;
    this.early = [];
    this.beforeReading = 0;
  }
}

function deferred(): [Promise<void>, { resolve: () => void; reject: (error: unknown) => void }] {
  let settle = { resolve: (): void => {}, reject: (_error: unknown): void => {} };
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Mostly nobody waits for it.
  promise.catch(() => {});
  return [promise, settle];
}
