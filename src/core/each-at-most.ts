/** Runs over all of them, at most `most` at a time. Rejects with the first failure; what has begun goes on then. */
export async function eachAtMost<T>(
  most: number,
  items: Iterable<T>,
  run: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) await run(next.value);
  };
  await Promise.all(Array.from({ length: most }, work));
}
