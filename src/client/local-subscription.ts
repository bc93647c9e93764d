import type { EventMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import type { LostNotice, LostReason, TopicMessage } from './topic-messages.js';

/**
 * What a local subscription needs from the server: nothing; all publications after its position; a
 * start, because it has no position; or a new start, because the server skipped publications.
 */
export type Want = 'nothing' | 'catch-up' | 'start' | 'restart';

/** Receives the messages of a subscription. */
export interface Sink {
  message(message: TopicMessage): void;
  /** Whether the server delivers to it, called when that changes. */
  linked?: ((linked: boolean) => void) | undefined;
  end(error: Error | undefined): void;
}

/**
 * One subscriber of this client and its position. It sees each publication once, or a loss notice.
 */
export class LocalSubscription {
  #want: Want;
  #position: Position | undefined;
  #started = false;
  #over = false;

  constructor(
    readonly topic: string,
    since: Position | undefined,
    private readonly sink: Sink,
    /** Maximum number of publications per second. */
    public maxRate = Infinity,
  ) {
    this.#position = since;
    this.#want = since === undefined ? 'start' : 'catch-up';
  }

  get want(): Want {
    return this.#want;
  }

  set want(want: Want) {
    if (this.#want === want) return;
    this.#want = want;
    if (!this.#over) this.sink.linked?.(want === 'nothing');
  }

  get position(): Position | undefined {
    return this.#position;
  }

  /** Whether its application waits for the whole state, and does not mind pages. [L-6.10] */
  get takesPages(): boolean {
    return this.sink.linked !== undefined;
  }

  /** Whether its position is in `epoch`, at or after `offset`. */
  reached({ epoch, offset }: Position): boolean {
    return this.#position?.epoch === epoch && this.#position.offset >= offset;
  }

  isAt({ epoch, offset }: Position): boolean {
    return this.#position?.epoch === epoch && this.#position.offset === offset;
  }

  /** The stream continues under a new epoch from `start`. A subscriber elsewhere must catch up. */
  goesOnUnder(start: Position): void {
    const at = this.#position;
    if (at === undefined || at.epoch === start.epoch) return;
    if (at.offset === start.offset) this.#position = { epoch: start.epoch, offset: start.offset };
    else this.want = 'catch-up';
  }

  /** Returns `false` if it cannot accept `event` now, because an earlier one is missing. */
  offer(event: EventMessage): boolean {
    const at = this.#position;
    if (this.want !== 'nothing' || at === undefined) return false;
    const { offset, data, key, removed } = event;
    if (offset <= at.offset) return true;
    const from = at.offset + 1;
    if ((event.from ?? offset) > from) {
      this.want = 'catch-up';
      return false;
    }
    const position = { epoch: at.epoch, offset };
    this.#position = position;
    // A merged event may also cover some that came one by one from the connection before.
    const place = { type: 'event', topic: this.topic, position, from } as const;
    if (removed && key !== undefined) this.#tell({ ...place, removed, key });
    else this.#tell({ ...place, data, ...(key !== undefined && { key }) });
    return true;
  }

  /** The server resumes from its position. */
  continues(): void {
    const position = this.#position;
    this.want = 'nothing';
    if (this.#started || position === undefined) return;
    this.#started = true;
    this.#tell({ type: 'start', topic: this.topic, position, recovered: true });
  }

  /** Moves to `start` and reports what was skipped. */
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

  /** The server skipped publications. The next start reports them. */
  missed(): void {
    this.want = 'restart';
  }

  /** The server no longer has this subscription. */
  cut(): void {
    this.want = this.#position === undefined ? 'start' : 'catch-up';
  }

  /** The application has unsubscribed. Delivers nothing more. */
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

/** The offsets between two positions, if they are in the same stream. */
function skipped(before: Position, now: Position): Pick<LostNotice, 'from' | 'to' | 'count'> {
  if (before.epoch !== now.epoch || now.offset < before.offset) return {};
  return { from: before.offset + 1, to: now.offset, count: now.offset - before.offset };
}
