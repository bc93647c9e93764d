import type { Attendance, Changes, State } from './signal.js';
import type { Cancel, Clock } from '../ports/clock.js';

/** Shorter gaps may be caused by signals that arrived out of order. */
const gapMs = 250;
/** Maximum number of changes of one instance that wait for earlier ones. */
const maxWaiting = 256;
/**
 * Maximum number of members of one instance. Larger than real, so that forged signals cannot fill
 * the memory.
 */
const maxMembers = 200_000;

export interface ReplicaParts {
  readonly clock: Clock;
  /** Requests the full state of the instance. */
  ask(): void;
  /** Applies one change, in order. */
  apply(change: Attendance): void;
  /** Replaces everything known of the instance by its full state. */
  replace(members: readonly Attendance[]): void;
}

interface Assembly {
  readonly seq: number;
  readonly parts: Map<number, readonly Attendance[]>;
  members: number;
}

/**
 * The members of another instance, updated in the order of its change numbers. Requests what is
 * missing.
 */
export class Replica {
  /** Number of the last applied change. Unknown at first. */
  private seq: number | undefined;
  private readonly waiting = new Map<number, readonly Attendance[]>();
  private assembly: Assembly | undefined;
  /** Highest number known to exist. */
  private top = 0;
  private cancelAsk: Cancel | undefined;

  constructor(private readonly parts: ReplicaParts) {}

  /** A hello arrived. The instance has sent `seq` changes so far. */
  greeted(seq: number): void {
    if (seq === 0) this.seq ??= 0;
    this.top = Math.max(this.top, seq);
    this.check();
  }

  changes({ seq, changes }: Changes): void {
    if (seq <= (this.seq ?? -1)) return;
    this.top = Math.max(this.top, seq);
    if (this.waiting.size < maxWaiting) this.waiting.set(seq, changes);
    this.goOn();
  }

  state({ seq, part, parts, members }: State): void {
    if (seq <= (this.seq ?? -1) || seq < (this.assembly?.seq ?? 0)) return;
    if (this.assembly?.seq !== seq) this.assembly = { seq, parts: new Map(), members: 0 };
    const { assembly } = this;
    if (assembly.parts.has(part)) return;
    assembly.members += members.length;
    if (assembly.members > maxMembers) return;
    assembly.parts.set(part, members);
    if (assembly.parts.size < parts) return;
    this.assembly = undefined;
    this.seq = seq;
    this.parts.replace([...assembly.parts.values()].flat());
    this.goOn();
  }

  stop(): void {
    this.cancelAsk?.();
  }

  private goOn(): void {
    const { waiting } = this;
    if (this.seq !== undefined) {
      for (let next = waiting.get(this.seq + 1); next !== undefined; next = waiting.get(this.seq + 1)) {
        this.seq += 1;
        for (const change of next) this.parts.apply(change);
        waiting.delete(this.seq);
      }
      for (const seq of waiting.keys()) if (seq <= this.seq) waiting.delete(seq);
    }
    this.check();
  }

  private get behind(): boolean {
    return this.seq === undefined || this.seq < this.top;
  }

  private check(): void {
    if (!this.behind || this.cancelAsk !== undefined) return;
    this.cancelAsk = this.parts.clock.after(gapMs, () => {
      this.cancelAsk = undefined;
      if (!this.behind) return;
      this.parts.ask();
    });
  }
}
