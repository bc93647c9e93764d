import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
/** `SERVER_MAIN` selects another build, for example the packed one. */
const main = resolve(root, process.env['SERVER_MAIN'] ?? 'dist/main.js');

/** How the process of a server ended: its exit code, or the name of the signal that ended it. */
export type Exit = number | NodeJS.Signals;

type LogEntry = Readonly<Record<string, unknown>>;

/** `node dist/main.js` in its own process, with only `PATH` from this environment. */
export class SpawnedServer {
  stdout = '';
  stderr = '';
  readonly exit: Promise<Exit>;
  private readonly child: ChildProcess;
  private wake: () => void = () => {};

  /** Uses free ports unless `environment` sets them. The caller ends it. */
  constructor(environment: Readonly<Record<string, string>> = {}, args: readonly string[] = []) {
    if (!existsSync(main)) execFileSync('npm', ['run', 'build'], { cwd: root });
    const env = { PATH: process.env['PATH'], LIVE_WS_PORT: '0', HTTP_PORT: '0', ...environment };
    this.child = spawn(process.execPath, [main, ...args], { cwd: root, env });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      this.wake();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    // `close` comes after all output has been read, `exit` may come before.
    this.exit = new Promise((done) => {
      this.child.on('close', (code, signal) => {
        done(code ?? signal ?? -1);
        this.wake();
      });
    });
  }

  /** The log entries so far. Each line must be JSON. */
  get log(): readonly LogEntry[] {
    return this.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogEntry);
  }

  /** Resolves with the first log entry with this `msg`. Rejects if the process ends without it. */
  async logged(msg: string): Promise<LogEntry> {
    let ended = false;
    void this.exit.then(() => {
      ended = true;
    });
    for (;;) {
      const woken = new Promise<void>((next) => {
        this.wake = next;
      });
      const entry = this.log.find((candidate) => candidate['msg'] === msg);
      if (entry !== undefined) return entry;
      if (ended) throw new Error(`The server ended without "${msg}":\n${this.stdout}\n${this.stderr}`);
      await woken;
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async end(): Promise<void> {
    this.kill('SIGKILL');
    await this.exit;
  }
}

export interface RunningServer {
  readonly server: SpawnedServer;
  /** Without a trailing slash. */
  readonly http: string;
  readonly sockets: string;
}

/** A process that is ended when the test has finished. */
export function spawnServer(
  environment: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): SpawnedServer {
  const server = new SpawnedServer(environment, args);
  onTestFinished(() => server.end());
  return server;
}

/** Resolves once the server logs that it listens. */
export async function listening(server: SpawnedServer): Promise<RunningServer> {
  const { page, sockets } = await server.logged('listening');
  return { server, http: new URL(String(page)).origin, sockets: String(sockets) };
}

/** A server that listens until the test has finished. */
export function startServer(environment: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  return listening(spawnServer(environment));
}

/** The cookie that the page sets in development. */
export async function pageCookie(http: string): Promise<string> {
  const response = await fetch(http);
  return (response.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
}
