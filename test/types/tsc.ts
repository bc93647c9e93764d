import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

/** Runs `tsc` with these options; rejects with what it says if it finds an error. */
export type Tsc = (...options: string[]) => Promise<{ readonly stdout: string }>;

/** Installs a version of TypeScript until the end of the test. */
export async function tscOf(version: string): Promise<Tsc> {
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-live-types-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const quiet = ['--no-save', '--no-audit', '--no-fund'];
  await run('npm', ['install', '--prefix', folder, `typescript@${version}`, ...quiet]);
  const compiler = join(folder, 'node_modules/typescript/bin/tsc');
  return (...options) => run(process.execPath, [compiler, ...options]);
}
