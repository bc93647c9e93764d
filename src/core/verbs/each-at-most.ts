import type { Clock } from '../ports/clock.js';

/**
 * Processes all items, with at most `most` in progress and at most `most` started per turn of the
 * event loop. The pause applies even if nothing has to be awaited. Rejects with the first failure;
 * items in progress continue.
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
