interface Turn {
  readonly work: () => Promise<unknown>;
  readonly isFor: (error: unknown) => boolean;
  readonly again: () => Promise<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Calls that keep their order although some must be made again. As soon as one must, no other is sent until those under way
 * are answered and it has been made again; then all that waited are sent at once.
 */
export class Turns {
  private underWay = 0;
  private isHeld = false;
  private failed: Turn[] = [];
  private waiting: Turn[] = [];

  /** Runs `work`, and `again` in its place when it fails with an error that `again` is for. */
  run<T>(work: () => Promise<T>, isFor: (error: unknown) => boolean, again: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const turn: Turn = { work, isFor, again, resolve, reject };
      if (this.isHeld) this.waiting.push(turn);
      else this.send(turn);
    });
  }

  private send(turn: Turn): void {
    this.underWay += 1;
    turn.work().then(
      (value) => {
        turn.resolve(value as never);
        this.answered();
      },
      (error: unknown) => {
        if (turn.isFor(error)) {
          this.isHeld = true;
          this.failed.push(turn);
        } else turn.reject(error);
        this.answered();
      },
    );
  }

  private answered(): void {
    this.underWay -= 1;
    const [first] = this.failed;
    if (this.underWay > 0 || first === undefined) return;
    const release = (): void => {
      const turns = [...this.failed.splice(0).slice(1), ...this.waiting.splice(0)];
      this.isHeld = false;
      for (const turn of turns) this.send(turn);
    };
    first
      .again()
      .then(first.resolve as (value: unknown) => void, first.reject)
      .finally(release);
  }
}
