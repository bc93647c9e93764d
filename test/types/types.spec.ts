import { resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const project = resolve(import.meta.dirname, 'project');
const files = ['server-right', 'server-wrong', 'client-right', 'client-wrong'];

interface Finding {
  readonly line: number;
  readonly message: string;
}

/** What the compiler says about each file. */
function findings(): Map<string, Finding[]> {
  const config = ts.readConfigFile(resolve(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
  const names = files.map((file) => resolve(project, `${file}.ts`));
  const program = ts.createProgram(names, { ...options, noEmit: true, noUnusedLocals: false });
  const all = [...names, resolve(project, 'topics.ts')].map((name) => {
    const source = program.getSourceFile(name);
    const found = program.getSemanticDiagnostics(source).map(({ start = 0, messageText }) => ({
      line: source?.getLineAndCharacterOfPosition(start).line ?? 0,
      message: ts.flattenDiagnosticMessageText(messageText, '\n'),
    }));
    return [name.slice(project.length + 1, -'.ts'.length), found] as const;
  });
  return new Map(all);
}

/** Lines of a file at which the next statement is a mistake, by what the mistake is. */
function mistakesIn(file: string): [mistake: string, from: number, to: number][] {
  const lines = (ts.sys.readFile(resolve(project, `${file}.ts`)) ?? '').split('\n');
  const starts = lines.flatMap((text, line) => {
    const mistake = /\/\/ mistake: (.+)/.exec(text)?.[1];
    return mistake === undefined ? [] : [[mistake, line] as const];
  });
  return starts.map(([mistake, line], i) => [mistake, line, starts[i + 1]?.[1] ?? lines.length]);
}

describe('The types of a topic map', () => {
  const found = findings();

  it.each(['topics', 'server-right', 'client-right'])('the right uses in %s compile', (file) => {
    expect(found.get(file)).toEqual([]);
  });

  it.each(
    ['server-wrong', 'client-wrong'].flatMap((file) =>
      mistakesIn(file).map((each) => [file, ...each] as const),
    ),
  )('the compiler explains this mistake in at most three lines, in %s: %s', (file, _mistake, from, to) => {
    const said = (found.get(file) ?? []).filter(({ line }) => line > from && line < to);
    expect(said.map(({ message }) => message.split('\n').length).filter((lines) => lines > 3)).toEqual([]);
    expect(said).toHaveLength(1);
  });
});
