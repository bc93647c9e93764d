import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { LiveModuleOptions } from '../../src/index.js';
import { onStreams } from './door.js';

export interface InstanceSetup {
  readonly id: string;
  /** The URL of the broker's server. */
  readonly engine: string;
  readonly options?: LiveModuleOptions;
  /** Loses every signal in both directions. */
  readonly deaf?: boolean;
}

/** One instance of a cluster, in its own process, controlled over stdin. */
export class InstanceProcess {
  private readonly answers: ((line: string) => void)[] = [];

  private constructor(
    readonly child: ChildProcess,
    readonly id: string,
    /** The URL for clients. */
    readonly url: string,
  ) {}

  static async start(setup: InstanceSetup): Promise<InstanceProcess> {
    const script = join(import.meta.dirname, 'cluster-process.mjs');
    const options = { ...(onStreams && { sse: true }), ...setup.options };
    const child = spawn(process.execPath, [script, JSON.stringify({ ...setup, options })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const lines = createInterface({ input: child.stdout });
    const url = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      child.once('exit', (code) => reject(new Error(`It ended with ${String(code)}`)));
    });
    const instance = new InstanceProcess(child, setup.id, url);
    lines.on('line', (line) => instance.answers.shift()?.(line));
    return instance;
  }

  /** Sends a request and resolves with its answer, one line of JSON each. */
  async ask<T = unknown>(request: object): Promise<T> {
    const answer = new Promise<string>((resolve) => {
      this.answers.push(resolve);
    });
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    return JSON.parse(await answer) as T;
  }

  /** Calls a method of its `LiveService`. */
  call<T = unknown>(method: string, ...args: unknown[]): Promise<T> {
    return this.ask<T>({ call: method, args });
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}
