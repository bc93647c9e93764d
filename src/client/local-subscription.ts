import type { EventMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import type { TopicMessage } from './topic-messages.js';

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
  #started = false;
  #over = false;

  constructor(
    readonly topic: string,
    /** Where it is. Unknown before its first start without `since`. */
    public position: Position | undefined,
    private readonly sink: Sink,
    /** Maximum number of publications per second. */
    public maxRate: number,
  ) {
    this.#want = position ? 'catch-up' : 'start';
  }

  get want(): Want {
    return this.#want;
  }

  set want(want: Want) {
    if (this.#want === want) return;
    this.#want = want;
    if (!this.#over) this.sink.linked?.(want === 'nothing');
  }

  /** Whether its application waits for the whole state: in pages, as a list. [L-6.10] [L-6.11] */
  get takesPages(): boolean {
    return !!this.sink.linked;
  }

  /** Whether its position is in `epoch`, at or after `offset`. */
  reached({ epoch, offset }: Position): boolean {
    return this.position?.epoch === epoch && this.position.offset >= offset;
  }

  /** The stream continues under a new epoch from `start`. A subscriber elsewhere must catch up. */
  goesOnUnder(start: Position): void {
    if (this.position?.epoch === start.epoch) return;
    if (this.position?.offset === start.offset) this.position = placeOf(start);
    else this.cut();
  }

  /** Returns `false` if it cannot accept `event` now, because an earlier one is missing. */
  offer(event: EventMessage): boolean {
    const at = this.position;
    if (this.want !== 'nothing' || !at) return false;
    const { offset, data, key, removed } = event;
    if (offset <= at.offset) return true;
    const from = at.offset + 1;
    if ((event.from ?? offset) > from) {
      this.want = 'catch-up';
      return false;
    }
    const position = { epoch: at.epoch, offset };
    this.position = position;
    // A merged event may also cover some that came one by one from the connection before.
    const place = { type: 'event', topic: this.topic, position, from } as const;
    if (removed && key !== undefined) this.#tell({ ...place, removed, key });
    else this.#tell({ ...place, data, ...(key !== undefined && { key }) });
    return true;
  }

  /** The server resumes from its position. */
  continues(): void {
    const { position } = this;
    this.want = 'nothing';
    if (this.#started || !position) return;
    this.#started = true;
    this.#tell({ type: 'start', topic: this.topic, position, recovered: true });
  }

  /**
   * Moves to `start` and reports what was skipped.
   *
   * @param isAnswer - whether a request was answered so
   */
  startsAt(start: Pick<SubscribedMessage, 'epoch' | 'offset' | 'snapshot'>, isAnswer = false): void {
    const { topic, position: before, want } = this;
    const isSame = before?.epoch === start.epoch;
    const position = placeOf(start);
    const snapshot = 'snapshot' in start && { snapshot: start.snapshot };
    this.want = 'nothing';
    this.#started = true;
    this.position = position;
    if (!before) return this.#tell({ type: 'start', topic, position, recovered: false, ...snapshot });
    const [from, to] = [before.offset + 1, position.offset];
    // Unknown if the epoch changed.
    const skipped = isSame && from <= to + 1 && { from, to, count: to - from + 1 };
    const left = isSame ? 'dropped' : 'new-epoch';
    const reason = isAnswer && want !== 'restart' ? 'unrecovered' : left;
    this.#tell({ type: 'lost', topic, reason, position, ...snapshot, ...skipped });
  }

  /** The server no longer has this subscription. */
  cut(): void {
    this.want = this.position ? 'catch-up' : 'start';
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

/** Without the rest of a message. */
function placeOf({ epoch, offset }: Position): Position {
  return { epoch, offset };
}
