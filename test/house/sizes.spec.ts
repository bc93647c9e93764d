import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

/** Lines of each code file below a folder. Spec files beside the code are not counted. */
function sizesOf(folder: string): { readonly file: string; readonly lines: number }[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[jt]sx?$/.test(file) && !file.endsWith('.d.ts') && !file.includes('node_modules'))
    .filter((file) => folder === 'test' || !file.endsWith('.spec.ts'))
    .map((file) => ({
      file: `${folder}/${file}`,
      lines: readFileSync(join(root, folder, file), 'utf8').split('\n').length - 1,
    }));
}

const maxLines = 250;

/** Mean of `src`. */
const maxMeanLines = 90;

/** The longest file of each other folder. */
const longest: Readonly<Record<string, number>> = { apps: 250, bench: 250, test: 700 };

const sizes = sizesOf('src');

describe('house: sizes', () => {
  it('every file of the library has at most 250 lines', () => {
    expect(sizes.filter(({ lines }) => lines > maxLines)).toEqual([]);
  });

  it('the files of the library do not become longer on average', () => {
    const total = sizes.reduce((sum, { lines }) => sum + lines, 0);
    expect(total / sizes.length).toBeLessThanOrEqual(maxMeanLines);
  });

  it('every file of another folder has at most as many lines as its folder allows', () => {
    for (const [folder, most] of Object.entries(longest))
      expect(sizesOf(folder).filter(({ lines }) => lines > most)).toEqual([]);
  });
});
