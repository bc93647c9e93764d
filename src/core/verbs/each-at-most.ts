import type { Clock } from '../ports/clock.js';

/**
 * Runs over all of them, at most `most` at a time, and as many in one turn of the event loop: others get theirs, also where
 * nothing has to be waited for. Rejects with the first failure; what has begun goes on then.
 */
export async function eachAtMost<T>(
  most: number,
  items: Iterable<T>,
  clock: Clock,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true;) {
      await run(next.value);
      next = rest.next();
      if (next.done !== true) await new Promise<void>((resolve) => clock.soon(resolve));
    }
  };
  await Promise.all(Array.from({ length: most }, work));
}
