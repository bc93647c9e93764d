import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** `npm test` builds first. A test file run by hand may find no build. */
export function buildIfMissing(): void {
  if (existsSync(join(root, 'dist/index.js'))) return;
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, stdio: 'ignore' });
}

/** A script of test/support in its own process. */
export class Child {
  stdout = '';
  stderr = '';
  /** An exit code, or the name of a signal. */
  readonly ended: Promise<number | string | null>;
  private readonly process;
  private wake: () => void = () => {};

  constructor(script: string, args: readonly string[]) {
    this.process = spawn(process.execPath, [join(root, 'test/support', script), ...args], { cwd: root });
    this.process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.wake();
    });
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => {
        resolve(code ?? signal);
        this.wake();
      });
    });
    onTestFinished(() => {
      this.process.kill('SIGKILL');
    });
  }

  /** The first line of output. Rejects if the process ends without any. */
  async line(): Promise<string> {
    while (!this.stdout.includes('\n')) {
      if (this.process.exitCode !== null) throw new Error(`It ended: ${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.stdout.slice(0, this.stdout.indexOf('\n'));
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  write(text: string): void {
    this.process.stdin.write(text);
  }
}
