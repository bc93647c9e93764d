import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import dictionary from 'dictionary-en';
import nspell from 'nspell';
import { expect, it, describe } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const spell = nspell(Buffer.from(dictionary.aff), Buffer.from(dictionary.dic));

/** Names and terms of the field that the American dictionary lacks, one on a line. */
const own = new Set(readFileSync(join(import.meta.dirname, 'words.txt'), 'utf8').split('\n'));

const documents = ['.', 'docs', 'bench', 'findings', 'examples'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.md') && file !== 'benchmarks.md')
    .map((file) => join(folder, file)),
);

/** Words of a document's prose, without code, link targets, and names with capitals or digits. */
function wordsOf(file: string): string[] {
  const prose = readFileSync(join(root, file), 'utf8')
    .replaceAll(/^```.*?^```$/gms, '')
    .replaceAll(/`[^`]*`/g, ' ')
    .replaceAll(/\]\([^)]*\)/g, ' ')
    .replaceAll(/<?https?:\S+/g, ' ');
  return [...prose.matchAll(/(?<![\w.@/-])[A-Za-z][a-z]+(?:['’][a-z]+)?(?![\w@/])/g)].map(([word]) =>
    word.replace('’', "'"),
  );
}

const known = (word: string): boolean =>
  spell.correct(word) || own.has(word.toLowerCase()) || own.has(word.toLowerCase().replace(/'s$/, ''));

describe('The spelling of the documents', () => {
  it.each(documents)('every word of %s is American English, or a term in words.txt', (file) => {
    expect([...new Set(wordsOf(file).filter((word) => !known(word)))]).toEqual([]);
  });
});
