import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

interface Question {
  readonly number: number;
  readonly name: string;
  readonly argument: unknown;
}

/**
 * For the child: answers the test's requests. A handler that throws ends the process and the test.
 */
export function answer(handlers: Handlers): void {
  process.on('message', async ({ number, name, argument }: Question) => {
    const value = await (handlers[name] as (argument: unknown) => unknown)(argument);
    process.send?.({ number, value });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ number: 0 });
}

/**
 * V8's young generation counts for RSS even if it is empty. Its size is fixed, because with traffic
 * it grows to 48 MB on Node 20 and 22, and to 96 MB since Node 24.
 */
const youngGeneration = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

/** For the test: a separate process, so that its end is noticed. */
export class Child<H extends Handlers> {
  /** Everything written to stderr, including uncaught errors. */
  stderr = '';
  private readonly waiting = new Map<number, (value: unknown) => void>();
  private asked = 0;
  private died: (error: Error) => void = () => {};
  private readonly death = new Promise<never>((_resolve, reject) => {
    this.died = reject;
  });

  private constructor(
    private readonly process: ChildProcess,
    private readonly file: string,
  ) {
    this.death.catch(() => {});
    process.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    process.on('message', ({ number, value }: { number: number; value: unknown }) => {
      this.waiting.get(number)?.(value);
      this.waiting.delete(number);
    });
    process.on('exit', (code, signal) => {
      this.died(
        new Error(`${this.file} died with ${String(code ?? signal)}: ${this.stderr.slice(0, 4_000)}`),
      );
    });
  }

  /** Starts a compiled file of this folder, and resolves once it is ready. */
  static async start<H extends Handlers>(
    folder: string,
    file: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Child<H>> {
    const process_ = fork(join(folder, 'test/abuse/support', file), {
      execArgv: ['--expose-gc', ...youngGeneration],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const child = new Child<H>(process_, file);
    await Promise.race([once(process_, 'message'), child.death]);
    return child;
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Rejects if the process has died. */
  async ask<N extends keyof H & string>(
    name: N,
    ...[argument]: Parameters<H[N]>
  ): Promise<Awaited<ReturnType<H[N]>>> {
    const number = ++this.asked;
    const value = new Promise<unknown>((resolve) => this.waiting.set(number, resolve));
    this.process.send({ number, name, argument });
    return (await Promise.race([value, this.death])) as Awaited<ReturnType<H[N]>>;
  }

  async stop(): Promise<void> {
    if (!this.alive) return;
    const exit = once(this.process, 'exit');
    this.process.disconnect();
    await exit;
  }
}
