import { resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { thorough } from '../support/thorough.js';
import { tscOf } from './tsc.js';

const root = resolve(import.meta.dirname, '../..');
const project = resolve(import.meta.dirname, 'project');
const files = [
  'server-right',
  'server-wrong',
  'client-right',
  'client-wrong',
  'interface-right',
  'interface-wrong',
];

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

  it.each(['topics', 'server-right', 'client-right', 'interface-right'])(
    'the right uses in %s compile',
    (file) => {
      expect(found.get(file)).toEqual([]);
    },
  );

  it.each(
    ['server-wrong', 'client-wrong', 'interface-wrong'].flatMap((file) =>
      mistakesIn(file).map((each) => [file, ...each] as const),
    ),
  )('the compiler explains this mistake in at most three lines, in %s: %s', (file, _mistake, from, to) => {
    const said = (found.get(file) ?? []).filter(({ line }) => line > from && line < to);
    expect(said.map(({ message }) => message.split('\n').length).filter((lines) => lines > 3)).toEqual([]);
    expect(said).toHaveLength(1);
  });

  it.each(thorough ? ['5.9', '7'] : [])(
    'TypeScript %s finds the same mistakes, each in at most three lines',
    async (version) => {
      const tsc = await tscOf(version);
      const { stdout } = await tsc('-p', import.meta.dirname, '--pretty', 'false').catch(
        (error: unknown) => error as { stdout: string },
      );
      const said = stdout.split(/\n(?=\S)/).filter((message) => message.includes('error TS'));
      expect(said.filter((message) => message.trimEnd().split('\n').length > 3)).toEqual([]);
      const count = (file: string) => said.filter((message) => message.includes(`${file}.ts(`)).length;
      expect(['topics', ...files].map(count)).toEqual([0, 0, 36, 0, 34, 0, 16]);
    },
    120_000,
  );
});
