// Runs an example of this folder with the built library:
// npm run example fleet-map, npm run example job-progress/worker
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [example = '', program = 'main'] = (process.argv[2] ?? '').split('/');
const folder = join(import.meta.dirname, example);
if (example === '' || !existsSync(folder))
  throw new Error(`There is no example '${example}' in ${import.meta.dirname}`);

// Inside of this repository, so that `nestjs-live` resolves to the repository itself.
// `npm run types` checks the types.
const built = join(import.meta.dirname, '../artifacts/examples', example);
mkdirSync(built, { recursive: true });
const changedMs = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => ({ name, from: join(folder, name), to: join(built, name.replace(/ts$/, 'js')) }))
  .filter(({ from, to }) => changedMs(from) > changedMs(to));
if (sources.length > 0) {
  const { default: ts } = await import('typescript');
  const compilerOptions = {
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2023,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  for (const { name, from, to } of sources) {
    const { outputText } = ts.transpileModule(readFileSync(from, 'utf8'), {
      compilerOptions,
      fileName: name,
    });
    writeFileSync(to, outputText);
  }
}

const child = spawn(process.execPath, [join(built, `${program}.js`), ...process.argv.slice(3)], {
  cwd: folder,
  stdio: 'inherit',
});
// A deploy stops the parent: the example drains, and its exit code is the parent's.
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
