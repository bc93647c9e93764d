import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

interface Walk {
  readonly name: string;
  readonly count: number;
  readonly files: readonly string[];
}

/** Paragraphs such as "_A publication goes out_ (18 files): `nest/live.service` → `core/live`." */
const walks: Walk[] = [
  ...contributing.matchAll(/^_(.+?)_[^(`]*\((\d+)\s+files\):\s+((?:`[^`]+`(?:\s+→\s+)?)+)\.$/gm),
].map(([, name = '', count, files = '']) => ({
  name,
  count: Number(count),
  files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => `src/${file}.ts`),
}));

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/\sfrom '(\.[^']+)\.js'/g)].map(([, name = '']) =>
    join(dirname(file), `${name}.ts`),
  );
}

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

  it.each(walks)('every file of the walk "$name" is reached from an earlier one', ({ files }) => {
    const lost = files.filter((file, i) => i > 0 && !files.slice(0, i).some((from) => meet(from, file)));
    expect(lost).toEqual([]);
  });
});
