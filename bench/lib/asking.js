// Requests from a program to the processes that it starts.
import { execFileSync, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { endsWithThis } from './ending.js';

/** In a started process: answers the requests of its parent, and ends with it. */
export function answer(handlers) {
  process.on('message', async (/** @type {any} */ { id, question, about }) => {
    try {
      process.send({ id, value: await handlers[question](about) });
    } catch (error) {
      process.send({ id, failure: error instanceof Error ? error.stack : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
}

/** Whether processes can be pinned to a core each, so that server and clients do not compete. */
export const canPin = availableParallelism() > 1 && hasTaskset();

/**
 * uWebSockets.js ships native add-ons that `ws` would find and use, although it was not meant to.
 */
const env = { ...process.env, WS_NO_BUFFER_UTIL: '1', WS_NO_UTF_8_VALIDATE: '1' };

/** A started process that answers requests. */
export class Asked {
  nextId = 1;
  waiting = new Map();

  /**
   * @param {object} start
   * @param {URL} start.script
   * @param {string[]} [start.args]
   * @param {number} start.core
   * @param {string} [start.runtime]
   * @param {string[]} [start.nodeOptions]
   */
  constructor({ script, args = [], core, runtime, nodeOptions = [] }) {
    const runner = [runtime ?? process.execPath, ...nodeOptions];
    const command = [...runner, script.pathname, ...args];
    const [program, ...rest] = canPin ? ['taskset', '-c', String(core), ...command] : command;
    // The server's log output is discarded, but the server must write it.
    this.child = endsWithThis(spawn(program, rest, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env }));
    this.child.on('message', (/** @type {any} */ { id, value, failure }) => {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      if (failure === undefined) resolve(value);
      else reject(new Error(failure));
    });
    this.ended = new Promise((resolve) => this.child.on('exit', resolve));
    this.child.on('exit', (code, signal) => {
      this.death = new Error(`${[script.pathname, ...args].join(' ')} ended with ${String(signal ?? code)}`);
      for (const { reject } of this.waiting.values()) reject(this.death);
    });
  }

  ask(question, about) {
    if (this.death !== undefined) return Promise.reject(this.death);
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.child.send({ id, question, about });
    });
  }

  /** Lets the process end by itself, and kills it after two seconds. */
  async end() {
    if (this.child.connected) this.child.disconnect();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 2_000);
    await this.ended;
    clearTimeout(timer);
  }
}

/** Moves this process to a core, where it runs the clients of a benchmark itself. */
export function pinSelf(core) {
  if (canPin) execFileSync('taskset', ['-cp', String(core), String(process.pid)], { stdio: 'ignore' });
}

function hasTaskset() {
  try {
    execFileSync('taskset', ['-p', String(process.pid)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
