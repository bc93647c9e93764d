// `npm run build`: builds the library, and then the applications that use only its public entries.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));

const compile = (...args) =>
  execFileSync(process.execPath, [join(typescript, 'bin/tsc'), ...args], { cwd: root, stdio: 'inherit' });

rmSync(join(root, 'dist'), { recursive: true, force: true });
try {
  compile('-p', 'tsconfig.build.json');
  // For Jest, which cannot require an ES module, and for TypeScript's `node16`, which refuses to.
  compile('-p', 'tsconfig.cjs.json');
  writeFileSync(join(root, 'dist/cjs/package.json'), '{ "type": "commonjs" }\n');
  // They import `nestjs-live` by its name, so they see what was just built, through `exports`.
  compile('-p', 'apps/tsconfig.json');
} catch {
  process.exit(1);
}
cpSync(join(root, 'apps/standalone/page'), join(root, 'dist/standalone/page'), { recursive: true });
chmodSync(join(root, 'dist/main.js'), 0o755);
