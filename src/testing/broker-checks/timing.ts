import assert from 'node:assert/strict';

/** Sleeps in real time, because engines are real. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Limits the time that an engine may take. */
export class Patience {
  constructor(private readonly ms: number) {}

  /** Waits until the condition holds; fails after the time limit. */
  async until(what: string, fulfilled: () => boolean, withinMs = this.ms): Promise<void> {
    const endMs = performance.now() + withinMs;
    for (let waitMs = 0; !fulfilled(); waitMs = Math.min(waitMs + 1, 20)) {
      if (performance.now() > endMs) assert.fail(`Not within ${String(withinMs / 1_000)} s: ${what}`);
      await sleep(waitMs);
    }
  }

  /** Returns the result of the call; fails if it does not answer in time. */
  async inTime<T>(what: string, call: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new assert.AssertionError({ message: `${what} did not answer in time` }));
      }, this.ms);
    });
    try {
      return await Promise.race([call, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Fails unless the call rejects. */
  async rejected(what: string, call: () => Promise<unknown>): Promise<void> {
    try {
      await this.inTime(what, call());
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return;
    }
    assert.fail(`${what} was answered instead of rejected`);
  }
}
