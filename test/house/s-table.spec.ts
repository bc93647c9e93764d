import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** The behaviours of the live server that was asked for. */
const behaviours = Array.from({ length: 18 }, (_, i) => `S${String(i + 1)}`);

const specs = ['src', 'test']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  .filter((file) => /\.(?:e2e-)?spec\.ts$/.test(file));

/** The tags at the head of a test's title, `[S7] [L-2.13] takes …`: those of the form S1 alone. */
function tagsIn(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const heads = text.matchAll(/['"`]((?:\[(?:S\d+|L-[\d.]+)\] ?)+)\S/g);
  return [...heads].flatMap(([, head = '']) => [...head.matchAll(/\[(S\d+)\]/g)].map(([, tag = '']) => tag));
}

describe('house: the table of behaviours', () => {
  const tags = specs.map((file) => ({ file, tags: tagsIn(file) }));

  it.each(behaviours)('%s heads the title of a test', (behaviour) => {
    expect(tags.filter(({ tags }) => tags.includes(behaviour)).map(({ file }) => file)).not.toEqual([]);
  });

  it('no title has a tag of a behaviour that is not in the table', () => {
    const unknown = tags.filter(({ tags }) => tags.some((tag) => !behaviours.includes(tag)));
    expect(unknown).toEqual([]);
  });
});
