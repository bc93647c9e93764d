import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const ratchetFile = join(import.meta.dirname, 'words.ratchet.json');
const ratchet = JSON.parse(readFileSync(ratchetFile, 'utf8')) as Record<string, Record<string, number>>;

const sources = ['src', 'apps', 'test', 'bench', 'examples'];

const filesOf = (folder: string, ends: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => ends.test(file) && !/node_modules|(^|\/)dist\/|artifacts|compose/.test(file))
    .map((file) => join(folder, file));

/** `src/core`, `test/brokers`, `docs`: the numbers are kept for each of these. */
const areaOf = (file: string): string => file.split('/').slice(0, -1).slice(0, 2).join('/') || '.';

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Comment {
  readonly text: string;
  readonly widest: number;
}

/** Comments of a program, found by their first characters, with the width of their whole line. */
function commentsOf(file: string): Comment[] {
  return textOf(file)
    .split('\n')
    .filter((line) => /^\s*(?:\/\/|\/\*|\*)/.test(line) || /\s\/\/ /.test(line))
    .map((line) => ({ text: line.replace(/^.*?(?:\/\/|\/\*\*?|^\s*\*)/, ''), widest: line.length }));
}

/** Documents without their code. */
const proseOf = (file: string): string =>
  textOf(file)
    .replaceAll(/^```.*?^```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, '');

/** Habits of a translated text. `who` needs a noun before it: "a client who", but never alone. */
const habits =
  /\b(?:meanwhile|anew|is told|are told|was told|be told|tells? of|to whom)\b|, too\b|(?:^|[.;:,] )who\b(?! may\b)/gi;

const british =
  /\b\w*(?:authoris|initialis|serialis|normalis|organis|recognis|behaviour|colour|favour|honour)\w*/gi;

const titles = /\b(?:it|test)(?:\.each\([^)]*\)|\.skip|\.only|\.skipIf\([^)]*\))?\(\s*(['"`])(.*?)\1/gs;

/** A title whose subject is the `describe` around it: it begins with a verb or a preposition. */
const fragment =
  /^(?:\[[LS][\d.-]+\] )*(?:is|are|was|does|do|has|have|had|can|may|must|will|never|keeps?|gives?|takes?|tells?|says?|sends?|reads?|writes?|closes?|opens?|ends?|waits?|goes|lets?|makes?|asks?|answers?|refuses?|accepts?|rejects?|throws?|returns?|starts?|stops?|uses?|of|in|on|at|with|without|for|from|by|to|that|which|after|before|where|when|as|if|also|not|no)\b/;

function count(files: readonly string[], found: (file: string) => number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const file of files) {
    const n = found(file);
    if (n > 0) counts[areaOf(file)] = (counts[areaOf(file)] ?? 0) + n;
  }
  return counts;
}

const documents = ['.', 'docs', 'bench', 'findings', 'examples']
  .flatMap((folder) =>
    folder === '.' ? readdirSync(root).filter((file) => file.endsWith('.md')) : filesOf(folder, /\.md$/),
  )
  .filter((file) => file !== 'docs/benchmarks.md'); // generated
const programs = sources.flatMap((folder) => filesOf(folder, /\.(?:ts|tsx|js|mjs)$/));
const specs = programs.filter((file) => file.endsWith('spec.ts'));

const measured: Readonly<Record<string, Record<string, number>>> = {
  'forbidden words in documents': count(documents, (file) => [...proseOf(file).matchAll(habits)].length),
  'forbidden words in comments': count(
    programs,
    (file) => commentsOf(file).filter(({ text }) => text.search(habits) >= 0).length,
  ),
  'British spelling in documents and comments': count([...documents, ...programs], (file) =>
    file.endsWith('.md')
      ? [...proseOf(file).matchAll(british)].length
      : commentsOf(file).filter(({ text }) => text.search(british) >= 0).length,
  ),
  'comments wider than 100 columns': count(
    programs,
    (file) => commentsOf(file).filter(({ widest }) => widest > 100).length,
  ),
  'titles of tests that are fragments': count(
    specs,
    (file) => [...textOf(file).matchAll(titles)].filter(([, , title = '']) => fragment.test(title)).length,
  ),
};

/** `WORDS_RATCHET=lower npx vitest run test/house/words.spec.ts` writes the lower numbers. */
if (process.env['WORDS_RATCHET'] === 'lower') {
  for (const [habit, areas] of Object.entries(measured)) {
    const before = ratchet[habit];
    const after = Object.entries(areas)
      .map(([area, n]) => [area, before === undefined ? n : Math.min(n, before[area] ?? 0)] as const)
      .filter(([, n]) => n > 0)
      .toSorted(([one], [other]) => one.localeCompare(other));
    ratchet[habit] = Object.fromEntries(after);
  }
  writeFileSync(ratchetFile, `${JSON.stringify(ratchet, null, 2)}\n`);
}

/** Numbers may only go down. Lower them in words.ratchet.json when a folder is cleaned. */
describe('The words of the documents, comments and titles', () => {
  it.each(Object.keys(measured))('no folder gains %s', (habit) => {
    const allowed = ratchet[habit] ?? {};
    const grown = Object.entries(measured[habit] ?? {})
      .filter(([area, n]) => n > (allowed[area] ?? 0))
      .map(([area, n]) => `${area}: ${String(n)}, allowed ${String(allowed[area] ?? 0)}`);
    expect(grown).toEqual([]);
  });
});
