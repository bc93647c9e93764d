import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

it('every public symbol has a comment, and the public API is that of docs/api, which npm run api writes', async () => {
  const failed = (error: unknown): { stdout: string; stderr: string } => error as never;
  const { stdout, stderr } = await run(process.execPath, [join(root, 'scripts/api.mjs'), '--check'], {
    cwd: root,
  }).catch(failed);
  expect(`${stdout}${stderr}`).toBe('');
}, 180_000);
