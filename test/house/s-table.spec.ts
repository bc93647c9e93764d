import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** The required behaviors of the live server, S1 to S18. */
const behaviors = Array.from({ length: 18 }, (_, i) => `S${String(i + 1)}`);

const specs = ['src', 'apps', 'test']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  .filter((file) => /\.(?:e2e-)?spec\.ts$/.test(file));

/** The `[S…]` tags at the start of a test title such as `[S7] [L-2.13] a handler …`. */
function tagsIn(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const heads = text.matchAll(/['"`]((?:\[(?:S\d+|L-[\d.]+)\] ?)+)\S/g);
  return [...heads].flatMap(([, head = '']) => [...head.matchAll(/\[(S\d+)\]/g)].map(([, tag = '']) => tag));
}

describe('house: the table of behaviors', () => {
  const tags = specs.map((file) => ({ file, tags: tagsIn(file) }));

  it.each(behaviors)('%s has a test whose title starts with its tag', (behavior) => {
    expect(tags.filter(({ tags }) => tags.includes(behavior)).map(({ file }) => file)).not.toEqual([]);
  });

  it('no test title carries a tag of an unknown behavior', () => {
    const unknown = tags.filter(({ tags }) => tags.some((tag) => !behaviors.includes(tag)));
    expect(unknown).toEqual([]);
  });
});
