/**
 * Calls that keep their order although some must be made again: as long as one is, those that come after it wait. Most
 * calls are never made again and pass without a step in between.
 */
export class Turns {
  private waiting = 0;
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `work`, and `again` in its place when it fails with an error that `again` is for. */
  async run<T>(
    work: () => Promise<T>,
    isFor: (error: unknown) => boolean,
    again: () => Promise<T>,
  ): Promise<T> {
    try {
      return await (this.waiting === 0 ? work() : this.after(work));
    } catch (error) {
      if (!isFor(error)) throw error;
      return this.after(again);
    }
  }

  private after<T>(work: () => Promise<T>): Promise<T> {
    this.waiting += 1;
    const turn = this.last.then(work);
    const done = (): void => {
      this.waiting -= 1;
    };
    this.last = turn.then(done, done);
    return turn;
  }
}
