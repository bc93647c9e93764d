interface FailedCall {
  readonly send: () => void;
  /** Settles once the call was repeated. */
  readonly again: () => Promise<unknown>;
}

/**
 * Keeps the order of calls although some must be repeated. After a failure, no call is sent until
 * those in flight are answered and the failed one was repeated. Then all waiting calls are sent.
 */
export class OrderedRetries {
  private underWay = 0;
  private isHeld = false;
  private failed: FailedCall[] = [];
  private waiting: FailedCall['send'][] = [];

  /** Runs `work`; if it fails with an error for which `isFor` holds, runs `again` instead. */
  run<T>(work: () => Promise<T>, isFor: (error: unknown) => boolean, again: () => Promise<T>): Promise<T> {
    if (!this.isHeld) return this.send(work, isFor, again);
    return new Promise<T>((resolve) => {
      this.waiting.push(() => resolve(this.send(work, isFor, again)));
    });
  }

  // Hot path of publishing: one promise in the usual case.
  private send<T>(
    work: () => Promise<T>,
    isFor: (error: unknown) => boolean,
    again: () => Promise<T>,
  ): Promise<T> {
    this.underWay += 1;
    return work().then(
      (value) => {
        this.answered();
        return value;
      },
      (error: unknown) => {
        if (!isFor(error)) {
          this.answered();
          throw error;
        }
        this.isHeld = true;
        return new Promise<T>((resolve) => {
          const send = (): void => resolve(this.send(work, isFor, again));
          const madeAgain = (): Promise<T> => {
            const made = again();
            resolve(made);
            return made;
          };
          this.failed.push({ send, again: madeAgain });
          this.answered();
        });
      },
    );
  }

  private answered(): void {
    this.underWay -= 1;
    const [first] = this.failed;
    if (this.underWay > 0 || first === undefined) return;
    const release = (): void => {
      const others = this.failed.splice(0).slice(1);
      const waiting = this.waiting.splice(0);
      this.isHeld = false;
      for (const { send } of others) send();
      for (const send of waiting) send();
    };
    first.again().then(release, release);
  }
}
