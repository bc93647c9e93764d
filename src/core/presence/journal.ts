import type { Attendance, Changes, State } from '../cluster/signal.js';
import type { Cancel, Clock } from '../ports/clock.js';

/** Changes are told together that come within this time. */
const tellAfterMs = 50;
/** Two answers with all that there is are at least so far apart: one serves all who ask. */
const statesApartMs = 500;
/** Most characters of members in one signal. */
const partLength = 32_768;

export interface JournalParts {
  readonly clock: Clock;
  /** All that this instance has. */
  all(): readonly Attendance[];
  /** Whether anybody is there to be told. */
  heard(): boolean;
  send(body: Changes | State): void;
}

/** What this instance tells the others of its members: each change under a number, and everything on request. */
export class Journal {
  /** The number of the last change that was told; 0 before the first. */
  seq = 0;
  private readonly untold = new Map<string, Attendance>();
  private cancelTell: Cancel | undefined;
  private cancelState: Cancel | undefined;
  private stateMs = -Infinity;

  constructor(private readonly parts: JournalParts) {}

  /** To be told soon. Of several changes of one user the last one counts. */
  add(change: Attendance): void {
    const [topic, user] = change;
    this.untold.set(`${topic} ${user}`, change);
    this.cancelTell ??= this.parts.clock.after(tellAfterMs, () => this.tell());
  }

  /** Tells what has not been told. Where nobody hears it, the numbers alone go on: who comes later asks for everything. */
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

  /** Somebody lacks something. */
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

/** In pieces that fit into a signal. */
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
