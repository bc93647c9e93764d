/**
 * Returns the shortest list that still fails by removing parts (delta debugging): first large
 * parts, then smaller ones, until no single element can be removed.
 *
 * @param fails - called many times
 */
export async function shrink<T>(
  whole: readonly T[],
  fails: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let shortest = whole;
  let size = Math.ceil(whole.length / 2);
  while (size >= 1) {
    const before = shortest.length;
    for (let start = shortest.length - size; start > -size; start -= size) {
      const from = Math.max(0, start);
      const rest = [...shortest.slice(0, from), ...shortest.slice(start + size)];
      if (rest.length < shortest.length && (await fails(rest))) shortest = rest;
    }
    if (size > 1) size = Math.ceil(size / 2);
    else if (shortest.length === before) return shortest;
  }
  return shortest;
}
