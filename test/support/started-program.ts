import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Starts a program with a temporary home folder. Kills it and all of its children when the test has
 * finished.
 *
 * @param command may contain `{folder}` for the path of the folder
 * @returns a function that returns its stderr output so far, to explain a failure
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
