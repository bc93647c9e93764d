import type { Clock } from '../ports/clock.js';

/** Starts up to `most` tasks per turn of the event loop, the rest in order in later turns. */
export class Turns {
  private begun = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly most: number,
  ) {}

  /** Resolves when the task may start, or returns `undefined` if it may start now. */
  next(): Promise<void> | undefined {
    if (this.begun === 0) this.clock.soon(this.turn);
    if (this.begun === this.most) return new Promise((resolve) => this.waiting.push(resolve));
    this.begun += 1;
    return undefined;
  }

  private readonly turn = (): void => {
    const some = this.waiting.splice(0, this.most);
    this.begun = some.length;
    if (some.length > 0) this.clock.soon(this.turn);
    for (const begin of some) begin();
  };
}
