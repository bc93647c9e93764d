import assert from 'node:assert/strict';

/** Real time, because engines are real. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** How long an engine may take for anything. */
export class Patience {
  constructor(private readonly ms: number) {}

  /** Waits until it is so, and fails when it does not become so. */
  async until(what: string, fulfilled: () => boolean, withinMs = this.ms): Promise<void> {
    const endMs = performance.now() + withinMs;
    for (let waitMs = 0; !fulfilled(); waitMs = Math.min(waitMs + 1, 20)) {
      if (performance.now() > endMs) assert.fail(`Not within ${String(withinMs / 1_000)} s: ${what}`);
      await sleep(waitMs);
    }
  }

  /** What the call gives; fails when it never answers. */
  async inTime<T>(what: string, call: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new assert.AssertionError({ message: `${what} never answered` }));
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
    assert.fail(`${what} was answered`);
  }
}
