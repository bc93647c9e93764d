// Compiles the addon into `prebuilds`: for this machine, and for others if their compilers are there.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const compilers = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };
const source = fileURLToPath(new URL('src/batch.c', import.meta.url));
const folder = new URL('prebuilds/', import.meta.url);

if (process.platform !== 'linux') {
  process.stderr.write('The addon is for Linux. Elsewhere, the package has no function.\n');
} else {
  mkdirSync(folder, { recursive: true });
  let built = 0;
  for (const [arch, named] of Object.entries(compilers)) {
    const compiler =
      [process.env['CC'], 'gcc', 'cc'].find((each) => arch === process.arch && runs(each)) ?? named;
    if (!runs(compiler)) {
      process.stderr.write(`!! linux-${arch} is left out: there is no ${compiler}\n`);
      continue;
    }
    build(compiler, fileURLToPath(new URL(`linux-${arch}.node`, folder)));
    built += 1;
  }
  if (built === 0) process.exitCode = 1;
}

/**
 * Without the C library, of which the running process has one, so that glibc and musl both fit.
 */
function build(compiler, file) {
  const flags = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-fPIC', '-shared', '-nostdlib', '-s'];
  execFileSync(compiler, [...flags, '-o', file, source], { stdio: 'inherit' });
  process.stdout.write(`${file}\n`);
}

function runs(compiler) {
  return compiler !== undefined && spawnSync(compiler, ['--version']).status === 0;
}
