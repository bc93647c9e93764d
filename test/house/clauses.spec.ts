import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const tag = /\[L-\d+\.\d+\]/g;

const filesUnder = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[cm]?[jt]s$/.test(file))
    .map((file) => join(folder, file))
    .toSorted();

const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
const tagsIn = (text: string): readonly string[] => text.match(tag) ?? [];
const isSpec = (file: string): boolean => /\.(e2e-)?spec\.ts$/.test(file);

interface Title {
  readonly file: string;
  readonly text: string;
  /** The test is an `it.todo`: not written yet. */
  readonly todo: boolean;
}

/** The names in `it`, `it.todo`, `it.each(…)(…)` or `it.each<T>(…)(…)`, in order. */
function chainOf(node: ts.Expression): readonly string[] {
  if (ts.isIdentifier(node)) return [node.text];
  if (ts.isPropertyAccessExpression(node)) return [...chainOf(node.expression), node.name.text];
  if (ts.isCallExpression(node)) return chainOf(node.expression);
  return ts.isTaggedTemplateExpression(node) ? chainOf(node.tag) : [];
}

/** The start of a string. For a template: the text before its first `${`. */
function startOf(node: ts.Expression | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isTemplateExpression(node)) return node.head.text;
  return ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** The titles of a file's tests. Skipped tests are left out because they prove nothing. */
function titlesOf(file: string): readonly Title[] {
  const titles: Title[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const [first = '', ...more] = chainOf(node.expression);
      const text = startOf(node.arguments[0]);
      if (/^(it|test)$/.test(first) && !more.includes('skip') && text !== undefined) {
        titles.push({ file, text, todo: more.includes('todo') });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest));
  return titles;
}

/** The clause tags that a title starts with. */
const headed = ({ text }: Title): readonly string[] =>
  tagsIn(/^(?:\[L-\d+\.\d+\]\s*)*/.exec(text)?.[0] ?? '');

const protocol = textOf('PROTOCOL.md');
const clauses = [...protocol.matchAll(/^- `(\[L-\d+\.\d+\])`/gm)].map((match) => match[1] ?? '');
const known: ReadonlySet<string> = new Set(clauses);
const sources = ['src', 'apps'].flatMap(filesUnder);
const titles = [...sources, ...filesUnder('test')].filter(isSpec).flatMap(titlesOf);

describe('house: clauses', () => {
  it('every clause appears once in PROTOCOL.md, in its own chapter, and no text there names an unknown clause', () => {
    expect(clauses.filter((clause, i) => clauses.indexOf(clause) !== i)).toEqual([]);
    expect(tagsIn(protocol).filter((clause) => !known.has(clause))).toEqual([]);
    const chapters = protocol.split(/^## (?=\d+\.)/m).slice(1);
    const strayed = chapters.flatMap((chapter) => {
      const own = `[L-${String(Number.parseInt(chapter, 10))}.`;
      return [...chapter.matchAll(/^- `(\[L-\d+\.\d+\])`/gm)].filter(
        ([, clause]) => !clause?.startsWith(own),
      );
    });
    expect(strayed).toEqual([]);
    expect(clauses.length).toBeGreaterThan(60);
  });

  it('every clause has a test', () => {
    const todo = titles.filter((title) => title.todo && headed(title).length > 0);
    for (const { file, text } of todo) console.info(`To do in ${file}: ${text}`);
    const heading = new Set(titles.flatMap(headed));
    expect(clauses.filter((clause) => !heading.has(clause))).toEqual([]);
  });

  it('every clause tag in a test title exists in PROTOCOL.md', () => {
    const unknown = titles.flatMap(({ file, text }) =>
      tagsIn(text).flatMap((clause) => (known.has(clause) ? [] : [`${file}: ${clause}`])),
    );
    expect(unknown).toEqual([]);
  });

  it('every clause tag in the sources exists in PROTOCOL.md', () => {
    const unknown = sources.flatMap((file) =>
      tagsIn(textOf(file)).flatMap((clause) => (known.has(clause) ? [] : [`${file}: ${clause}`])),
    );
    expect(unknown).toEqual([]);
  });
});
