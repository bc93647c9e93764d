import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a program and returns its output; a failure has what it printed. */
export async function output(cwd, file, ...args) {
  try {
    const { stdout } = await promisify(execFile)(file, args, { cwd, maxBuffer: 2 ** 26 });
    return stdout.trim();
  } catch (error) {
    throw new Error(`${error.message}\n${error.stdout ?? ''}`, { cause: error });
  }
}
