import type { Attendance, Changes, State } from './signal.js';
import type { Cancel, Clock } from '../ports/clock.js';

/** Changes within this time are sent together. */
const tellAfterMs = 50;
/** Minimum time between two full states. One serves all instances that request it. */
const statesApartMs = 500;
/** Maximum characters of members in one signal. */
const partLength = 32_768;

export interface JournalParts {
  readonly clock: Clock;
  /** The full state of this instance. */
  all(): readonly Attendance[];
  /** Whether another instance can receive it. */
  heard(): boolean;
  send(body: Changes | State): void;
}

/**
 * Announces this instance's members to the others: numbered changes, and the full state on request.
 */
export class Journal {
  /** Number of the last change sent. 0 before the first. */
  seq = 0;
  private readonly untold = new Map<string, Attendance>();
  private cancelTell: Cancel | undefined;
  private cancelState: Cancel | undefined;
  private stateMs = -Infinity;

  constructor(private readonly parts: JournalParts) {}

  /** Queues a change. Only the last change of a user is sent. */
  add(change: Attendance): void {
    const [topic, user] = change;
    this.untold.set(`${topic} ${user}`, change);
    this.cancelTell ??= this.parts.clock.after(tellAfterMs, () => this.tell());
  }

  /**
   * Sends queued changes. Without receivers only the number grows, and later instances request the
   * full state.
   */
  tell(): void {
    this.cancelTell?.();
    this.cancelTell = undefined;
    const changes = [...this.untold.values()];
    this.untold.clear();
    for (const part of inParts(changes)) {
      this.seq += 1;
      if (this.parts.heard()) this.parts.send({ type: 'changes', seq: this.seq, changes: part });
    }
  }

  /** An instance requests the full state. */
  asked(): void {
    const { clock } = this.parts;
    const waitMs = Math.max(tellAfterMs, this.stateMs + statesApartMs - clock.now());
    this.cancelState ??= clock.after(waitMs, () => this.tellAll());
  }

  stop(): void {
    this.cancelTell?.();
    this.cancelState?.();
    this.untold.clear();
  }

  private tellAll(): void {
    this.cancelState = undefined;
    this.stateMs = this.parts.clock.now();
    this.tell();
    const parts = [...inParts(this.parts.all())];
    if (parts.length === 0) parts.push([]);
    parts.forEach((members, part) => {
      this.parts.send({ type: 'state', seq: this.seq, part, parts: parts.length, members });
    });
  }
}

/** Splits the members into parts that fit into a signal. */
function* inParts(all: readonly Attendance[]): Iterable<readonly Attendance[]> {
  let part: Attendance[] = [];
  let length = 0;
  for (const each of all) {
    const [topic, user, , fields] = each;
    part.push(each);
    length += topic.length + user.length + fields.length + 16;
    if (length < partLength) continue;
    yield part;
    part = [];
    length = 0;
  }
  if (part.length > 0) yield part;
}
