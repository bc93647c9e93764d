// `npm run build`: builds the library, and then the applications that use only its public entries.
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'));

/** Runs the compiler; its errors end the build with 1. */
async function compile(project) {
  const failed = await new Promise((done) => {
    const child = execFile(process.execPath, [tsc, '-p', project], { cwd: root }, (error) => done(error));
    child.stdout.pipe(process.stdout);
    child.stderr.pipe(process.stderr);
  });
  if (failed) process.exit(1);
}

/**
 * The CommonJS build is for Jest, which cannot require an ES module, and for TypeScript's `node16`,
 * which refuses to. It has the declarations of the ES modules, and their code with other imports.
 */
function convertToCommonJs(files) {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2023 };
  for (const file of files) {
    const text = readFileSync(join(dist, file), 'utf8');
    if (/^(?!\s*(\*|\/\/)).*\bimport\.meta\b/m.test(text))
      throw new Error(`dist/${file}: CommonJS has no import.meta`);
    const isCode = file.endsWith('.js');
    const converted = isCode
      ? ts.transpileModule(text, { compilerOptions, fileName: file }).outputText
      : text;
    mkdirSync(dirname(join(dist, 'cjs', file)), { recursive: true });
    writeFileSync(join(dist, 'cjs', file), converted);
  }
  writeFileSync(join(dist, 'cjs/package.json'), '{ "type": "commonjs" }\n');
}

rmSync(dist, { recursive: true, force: true });
await compile('tsconfig.build.json');
const files = readdirSync(dist, { recursive: true, encoding: 'utf8' });
// The applications import `nestjs-live` by its name, so they see what was just built, through `exports`.
const applications = compile('apps/tsconfig.json');
convertToCommonJs(files.filter((file) => /\.(js|d\.ts)$/.test(file)));
await applications;
cpSync(join(root, 'apps/standalone/page'), join(dist, 'standalone/page'), { recursive: true });
chmodSync(join(dist, 'main.js'), 0o755);
