import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * A program with a folder of its own as its home; ended with all that it started when the test has finished.
 *
 * @param command may have `{folder}` in it
 * @returns what it has written on stderr, for when it does not do what it should
 */
export function startProgram([name, ...args]: readonly [string, ...string[]]): () => string {
  const folder = mkdtempSync(join(tmpdir(), 'program-'));
  const child = spawn(
    name,
    args.map((each) => each.replace('{folder}', folder)),
    // A group of its own: browsers are many processes.
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: folder } },
  );
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise((resolve) => {
    child.once('close', resolve);
    child.once('error', resolve);
  });
  onTestFinished(async () => {
    const { pid } = child;
    if (pid !== undefined && child.exitCode === null) process.kill(-pid, 'SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return () => stderr;
}
