/** The names of some options. An object, so that the compiler reports a missing name. */
export type Names<Options> = Readonly<Record<keyof Options, true>>;

/** A field that is no option, and the option whose name is most like it. */
export interface UnknownName {
  readonly name: string;
  readonly meant: string | undefined;
}

/** The first field of an object that is no option. Other values are left to other checks. */
export function unknownName(
  given: unknown,
  known: Readonly<Record<string, unknown>>,
): UnknownName | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const name = Object.keys(given).find((each) => !Object.hasOwn(known, each));
  return name === undefined ? undefined : { name, meant: nearest(name, Object.keys(known)) };
}

/** The name with the fewest changes, if they are few for its length. */
function nearest(given: string, names: readonly string[]): string | undefined {
  const [first] = names
    .map((name) => ({ name, changes: changesBetween(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, changes }) => changes <= Math.max(2, name.length / 4))
    .toSorted((one, other) => one.changes - other.changes);
  return first?.name;
}

/** Insertions, deletions and replacements that make one text of the other (Levenshtein, 1966). */
function changesBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...one].entries()) {
    const next = [i + 1];
    for (const [j, otherLetter] of [...other].entries())
      next.push(
        Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + Number(letter !== otherLetter)),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}
