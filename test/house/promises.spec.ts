import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** The rows of SECURITY.md that name a clause: the promise, the clause tag, and the test files. */
const promises = readFileSync(join(root, 'SECURITY.md'), 'utf8')
  .split('\n')
  .map((line) => /^\| (.+?) +\| `(\[(?:L-[\d.]+|S\d+)\])` +\| (.+) \|$/.exec(line))
  .filter((row) => row !== null)
  .map(([, promise = '', tag = '', cells = '']) => {
    const files = [...cells.matchAll(/\]\(([^)]+)\)/g)].map(([, file = '']) => file);
    return { promise, tag, files };
  });

describe('house: the promises of SECURITY.md', () => {
  it('SECURITY.md has a table of promises', () => {
    expect(promises.length).toBeGreaterThan(20);
  });

  it.each(promises)('a test proves: $promise $tag', ({ tag, files }) => {
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    expect(files.some((file) => readFileSync(join(root, file), 'utf8').includes(tag))).toBe(true);
  });
});
