/**
 * Runs all items in order, at most `maxInFlight` at a time. Each outcome has its item's index;
 * a failure does not stop the rest.
 */
export async function settleAll<Item, Result>(
  items: readonly Item[],
  run: (item: Item) => Promise<Result>,
  maxInFlight: number,
): Promise<PromiseSettledResult<Result>[]> {
  const settled: PromiseSettledResult<Result>[] = [];
  let next = 0;
  // Async, so that an item that `run` refuses at once rejects like any other.
  const begin = async (item: Item): Promise<Result> => run(item);
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      const [outcome] = await Promise.allSettled([begin(items[index] as Item)]);
      settled[index] = outcome as PromiseSettledResult<Result>;
    }
  };
  await Promise.all(Array.from({ length: Math.min(maxInFlight, items.length) }, work));
  return settled;
}
