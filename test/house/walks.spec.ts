import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

interface Walk {
  readonly name: string;
  readonly count: number;
  readonly files: readonly string[];
  readonly leaves: readonly string[];
}

/** The most files of each walk. Lower a figure when its walk has become shorter. */
const maxFiles: Readonly<Record<string, number>> = {
  'A publication goes out': 16,
  'A peer comes in': 22,
  'A subscribe recovers': 26,
};

const filesIn = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, file = '']) => `src/${file}.ts`);

/** Paragraphs such as "_A publication goes out_ (16 files): `a` → `b`. Leaves: `c`, `d`." */
const walks: Walk[] = [
  ...contributing.matchAll(
    /^_(.+?)_[^(`]*\((\d+)\s+files\):\s+((?:`[^`]+`(?:\s+→\s+)?)+)\.\s+Leaves:\s+((?:`[^`]+`(?:,\s+)?)+)\.$/gm,
  ),
].map(([, name = '', count, files = '', leaves = '']) => ({
  name,
  count: Number(count),
  files: filesIn(files),
  leaves: filesIn(leaves),
}));

function importsOf(file: string, statement = /\sfrom '(\.[^']+)\.js'/g): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(statement)].map(([, name = '']) => join(dirname(file), `${name}.ts`));
}

/** What it imports besides types. */
const valuesOf = (file: string): readonly string[] =>
  importsOf(file, /^import (?!type\b)\{(?!(?:\s*type \w+,?)+\s*\})[^}]*\} from '(\.[^']+)\.js'/gm);

/** State of an object, or of the module. */
const state =
  /\bthis\.\w|^(?:export )?let |^(?:export )?const \w+.* = new (?:Weak)?(?:Map|Set)(?:<.*>)?\(\)/m;

/** One imports the other, or both import a port through which a third file connects them. */
function meet(one: string, other: string): boolean {
  const [ones, others] = [importsOf(one), importsOf(other)];
  const shared = ones.filter((file) => file.startsWith('src/core/ports/') && others.includes(file));
  return ones.includes(other) || others.includes(one) || shared.length > 0;
}

describe('house: walks', () => {
  it('CONTRIBUTING shows how a publication goes out, a peer comes in, and a subscribe recovers', () => {
    expect(walks.map(({ name }) => name)).toEqual([
      'A publication goes out',
      'A peer comes in',
      'A subscribe recovers',
    ]);
  });

  it.each(walks)('every file of the walk "$name" exists, once, and all are counted', ({ files, count }) => {
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    expect([new Set(files).size, files.length]).toEqual([count, count]);
  });

  it.each(walks)('the walk "$name" has no more files than before', ({ name, count }) => {
    expect(count).toBeLessThanOrEqual(maxFiles[name] ?? 0);
  });

  it.each(walks)(
    'every leaf of the walk "$name" has no state and calls no file of it',
    ({ files, leaves }) => {
      const passed = [...files, ...leaves];
      const wrong = leaves.filter(
        (leaf) =>
          files.includes(leaf) ||
          state.test(readFileSync(join(root, leaf), 'utf8')) ||
          valuesOf(leaf).some((file) => files.includes(file)) ||
          !passed.some((file) => file !== leaf && meet(file, leaf)),
      );
      expect(wrong).toEqual([]);
    },
  );

  it.each(walks)('every file of the walk "$name" is reached from an earlier one', ({ files }) => {
    const lost = files.filter((file, i) => i > 0 && !files.slice(0, i).some((from) => meet(from, file)));
    expect(lost).toEqual([]);
  });
});
