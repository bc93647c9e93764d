// A server program for a benchmark, with a free loopback port and a folder of its own.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { canPin } from './asking.js';
import { endsWithThis, removedWithThis } from './ending.js';
import { freePort } from './free-port.js';

/** What the program prints about its version, or `undefined` if it is not installed. */
export function versionText(program, argument) {
  const { error, stdout, stderr } = spawnSync(program, [argument], { encoding: 'utf8' });
  return error === undefined ? (stdout + stderr).trim() : undefined;
}

/**
 * Resolves once the port answers.
 *
 * @param {object} about
 * @param {string} about.program
 * @param {(port: number, folder: string) => readonly string[]} about.args
 * @param {number} [about.core] the core that it is pinned to, if any
 * @param {NodeJS.Signals} [about.signal] that ends it
 */
export async function startServer({ program, args, core, signal = 'SIGKILL' }) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), `bench-${program}-`));
  const remove = removedWithThis(folder);
  const command = [program, ...args(port, folder)];
  const [first, ...rest] =
    canPin && core !== undefined ? ['taskset', '-c', String(core), ...command] : command;
  const child = spawn(first, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
  endsWithThis(child, signal);
  const ended = new Promise((done) => child.once('exit', done));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${String(child.exitCode)}`);
    await sleep(20);
  }
  return {
    port,
    folder,
    pid: /** @type {number} */ (child.pid),
    async stop() {
      child.kill(signal);
      await ended;
      remove();
    },
  };
}

function answers(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
