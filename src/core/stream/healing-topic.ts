import { holdLimits } from '../fanout/hold-buffers.js';
import type { Healing, Topic } from '../fanout/topic.js';
import type { Publication } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';

/** Maximum characters of JSON text held by all topics together. */
const maxCharsOfAll = 67_108_864;

/** Shared by all topics in repair. */
export interface HealingBudget {
  chars: number;
}

/** A publication that arrived while an earlier one was missing. */
export interface Early {
  readonly epoch: string;
  readonly publication: Publication;
}

/** A topic with a gap. Publications that arrive during the repair wait here, up to a limit. */
export class HealingTopic implements Healing {
  /** Reads that contradicted earlier deliveries. */
  contradictions = 0;
  tried: Promise<void>;
  private early: Early[] = [];
  /** Number of them that arrived before the current read was requested. */
  private beforeReading = 0;
  private chars = 0;
  /**
   * Whether a publication did not fit since the current read was requested. Nothing is held then.
   */
  private overflowed = false;
  /** Whether more may have been missed since the current read was requested. */
  private doubted = false;
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

  /** Current position of the topic. */
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

  /** Whether the topic has advanced otherwise since the read was requested. */
  get hasMoved(): boolean {
    return this.topic.epoch !== this.asked.epoch || this.topic.offset !== this.asked.offset;
  }

  /** Whether a publication arrived, or may have been missed, that no read so far covers. */
  get isBehind(): boolean {
    return this.early.length > 0 || this.overflowed || this.doubted;
  }

  doubt(): void {
    this.doubted = true;
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

  /** Starts a read, which covers everything that has arrived so far. */
  ask(): Position {
    this.overflowed = this.doubted = false;
    this.beforeReading = this.early.length;
    this.asked = this.position;
    return this.asked;
  }

  /**
   * Whether something was delivered before the read was requested that the read does not contain.
   */
  contradicts(top: Position): boolean {
    if (this.asked.epoch === top.epoch && top.offset < this.asked.offset) return true;
    return this.early
      .slice(0, this.beforeReading)
      .some(({ epoch, publication: { offset } }) => epoch === top.epoch && offset > top.offset);
  }

  /**
   * Removes and returns the publications of the stream that was read, in order. Keeps later ones of
   * another stream.
   */
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

  /** The current read failed. Rejects those that wait for it. */
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
  // Usually nothing waits for it.
  promise.catch(() => {});
  return [promise, settle];
}
