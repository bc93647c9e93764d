import type { EventMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import type { LostNotice, LostReason, TopicMessage } from './topic-messages.js';

/**
 * What one local subscription needs from the server before it can go on: nothing; everything after its position; a
 * start, because it has no position; a new start, because the server left out what comes after its position.
 */
export type Want = 'nothing' | 'catch-up' | 'start' | 'restart';

/** Where a subscription's messages go. */
export interface Sink {
  message(message: TopicMessage): void;
  end(error: Error | undefined): void;
}

/** One subscriber of this client: where it stands, and what it is told. Sees each publication once, or is told. */
export class LocalSubscription {
  want: Want;
  #position: Position | undefined;
  #started = false;
  #over = false;

  constructor(
    readonly topic: string,
    since: Position | undefined,
    private readonly sink: Sink,
    /** Publications per second that it wants at most. */
    public maxRate = Infinity,
  ) {
    this.#position = since;
    this.want = since === undefined ? 'start' : 'catch-up';
  }

  get position(): Position | undefined {
    return this.#position;
  }

  /** Whether it stands in `epoch`, at `offset` or after. */
  reached({ epoch, offset }: Position): boolean {
    return this.#position?.epoch === epoch && this.#position.offset >= offset;
  }

  isAt({ epoch, offset }: Position): boolean {
    return this.#position?.epoch === epoch && this.#position.offset === offset;
  }

  /** The stream goes on under another epoch from `start`: whoever stands there misses nothing, others must ask. */
  goesOnUnder(start: Position): void {
    const at = this.#position;
    if (at === undefined || at.epoch === start.epoch) return;
    if (at.offset === start.offset) this.#position = { epoch: start.epoch, offset: start.offset };
    else this.want = 'catch-up';
  }

  /** `false` when it cannot take `event` now: something is missing before it. */
  offer(event: EventMessage): boolean {
    const at = this.#position;
    if (this.want !== 'nothing' || at === undefined) return false;
    const { offset, from = offset, data, key, removed } = event;
    if (offset <= at.offset) return true;
    if (from > at.offset + 1) {
      this.want = 'catch-up';
      return false;
    }
    const position = { epoch: at.epoch, offset };
    this.#position = position;
    const place = { type: 'event', topic: this.topic, position, from } as const;
    if (removed && key !== undefined) this.#tell({ ...place, removed, key });
    else this.#tell({ ...place, data, ...(key !== undefined && { key }) });
    return true;
  }

  /** The server continues its position. */
  continues(): void {
    const position = this.#position;
    this.want = 'nothing';
    if (this.#started || position === undefined) return;
    this.#started = true;
    this.#tell({ type: 'start', topic: this.topic, position, recovered: true });
  }

  /** Stands at `start` from now on, and is told what that skips. */
  startsAt(start: Pick<SubscribedMessage, 'epoch' | 'offset' | 'snapshot'>, reason?: LostReason): void {
    const { topic } = this;
    const before = this.#position;
    const left = before?.epoch === start.epoch ? 'dropped' : 'new-epoch';
    const why = reason ?? (this.want === 'restart' ? left : 'unrecovered');
    const position = { epoch: start.epoch, offset: start.offset };
    const snapshot = 'snapshot' in start && { snapshot: start.snapshot };
    this.want = 'nothing';
    this.#started = true;
    this.#position = position;
    if (before === undefined) this.#tell({ type: 'start', topic, position, recovered: false, ...snapshot });
    else
      this.#tell({ type: 'lost', topic, reason: why, position, ...snapshot, ...skipped(before, position) });
  }

  /** The server left something out: the next start tells. */
  missed(): void {
    this.want = 'restart';
  }

  /** The server knows nothing of this subscription any more. */
  cut(): void {
    this.want = this.#position === undefined ? 'start' : 'catch-up';
  }

  /** The application wants no more of it: it is told nothing more. */
  stop(): void {
    this.#over = true;
  }

  end(error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.sink.end(error);
  }

  #tell(message: TopicMessage): void {
    if (!this.#over) this.sink.message(message);
  }
}

/** The offsets between two positions, where they are of one stream. */
function skipped(before: Position, now: Position): Pick<LostNotice, 'from' | 'to' | 'count'> {
  if (before.epoch !== now.epoch || now.offset < before.offset) return {};
  return { from: before.offset + 1, to: now.offset, count: now.offset - before.offset };
}
