import type { Clock } from './clock.js';

/** Resolves as `work` does, but rejects with `error()` if that takes more than `ms`. */
export async function inTime<T>(
  clock: Clock,
  ms: number,
  work: T | PromiseLike<T>,
  error: () => Error,
): Promise<Awaited<T>> {
  let stop = (): void => {};
  const late = new Promise<never>((_resolve, reject) => {
    stop = clock.after(ms, () => reject(error()));
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop();
  }
}
