// A benchmark that is interrupted or fails ends the processes and removes the folders it made.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import process from 'node:process';

/** @type {Map<import('node:child_process').ChildProcess, NodeJS.Signals>} */
const children = new Map();
/** @type {Set<string>} */
const folders = new Set();

process.on('exit', () => {
  for (const [child, signal] of children) child.kill(signal);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A signal ends this process and what it started. Servers that drain have their own handlers. */
export function endOnSignals() {
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

/**
 * Ends the child with this process.
 *
 * @template {import('node:child_process').ChildProcess} Child
 * @param {Child} child
 * @param {NodeJS.Signals} [signal]
 */
export function endsWithThis(child, signal = 'SIGTERM') {
  children.set(child, signal);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Removes the folder with this process. Returns a function that removes it now. */
export function removedWithThis(folder) {
  folders.add(folder);
  return () => {
    rmSync(folder, { recursive: true, force: true });
    folders.delete(folder);
  };
}

/**
 * Runs a command in place of this program, which exits with it.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<never>}
 */
export async function runInstead([program, ...args], env) {
  const child = spawn(program, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env });
  const [code] = await once(endsWithThis(child), 'exit');
  return process.exit(code ?? 1);
}

/** What starts this program again, in another Node. */
export function thisProgramIn(node) {
  return [node, ...process.execArgv, ...process.argv.slice(1)];
}
