import type { Clock } from '../ports/clock.js';

export interface TurnLimits {
  /** Tasks that begin in one turn of the event loop. */
  readonly perTurn: number;
  /** Tasks that may wait for a later turn. One more begins at once. */
  readonly maxWaiting: number;
}

/**
 * Spreads tasks over turns of the event loop, in the order of arrival. A crowd brings a thousand
 * with one poll, and other connections would get nothing until the last of them has begun.
 */
export class Turns<Task> {
  private inTurn = 0;
  private waiting: Task[] = [];
  /** Place of the next one in `waiting`. */
  private next = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: TurnLimits,
    private readonly begin: (task: Task) => void,
  ) {}

  /** Begins a task, at once if this turn has room. */
  add(task: Task): void {
    const { perTurn, maxWaiting } = this.limits;
    const waiting = this.waiting.length - this.next;
    if (waiting >= maxWaiting || (waiting === 0 && this.inTurn < perTurn)) {
      if (this.inTurn++ === 0) this.clock.soon(this.turn);
      this.begin(task);
    } else this.waiting.push(task);
  }

  private readonly turn = (): void => {
    this.inTurn = 0;
    if (this.next === this.waiting.length) return;
    this.clock.soon(this.turn);
    while (this.inTurn < this.limits.perTurn && this.next < this.waiting.length) {
      this.inTurn += 1;
      this.begin(this.waiting[this.next++] as Task);
    }
    if (this.next < this.waiting.length) return;
    this.waiting = [];
    this.next = 0;
  };
}
