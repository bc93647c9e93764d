/** The known name that `name` is probably a misspelling of, or `undefined` if none is similar. */
export function suggestionFor(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, distance: editsBetween(name, candidate) }))
    .toSorted((one, other) => one.distance - other.distance);
  // Up to a third of the name may be wrong. Beyond that a hint would be a guess.
  return best !== undefined && best.distance <= name.length / 3 ? best.candidate : undefined;
}

/** Levenshtein distance: the number of letters to insert, delete or change. */
function editsBetween(one: string, other: string): number {
  let previous = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const change = (previous[j - 1] ?? 0) + Number(one[i - 1] !== other[j - 1]);
      row.push(Math.min(change, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[other.length] ?? 0;
}
