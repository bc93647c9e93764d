import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '../../..');
const sources = ['src', 'test/support', 'test/abuse/support'];

const compilerOptions: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2023,
  isolatedModules: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
};

/**
 * Compiles the current sources to JavaScript in a temporary folder: no stale build is attacked, and
 * the measured process contains no compiler. Returns the folder and a function that removes it.
 */
export function compiled(): { readonly folder: string; readonly remove: () => void } {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'nestjs-live-abuse-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const source of sources) {
    for (const file of readdirSync(join(root, source), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts') || file.endsWith('.spec.ts')) continue;
      const fileName = join(source, file);
      const { outputText } = ts.transpileModule(readFileSync(join(root, fileName), 'utf8'), {
        fileName,
        compilerOptions,
      });
      const target = join(folder, fileName.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, outputText);
    }
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
