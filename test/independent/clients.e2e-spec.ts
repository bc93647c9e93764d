import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startClientApp } from '../client/client-app.js';
import { clientPrograms, type Program, runsWith } from '../support/programs.js';

const root = resolve(import.meta.dirname, '../..');
const guide = readFileSync(join(root, 'docs/other-clients.md'), 'utf8');
const patiently = { timeout: 30_000, interval: 20 };

type ClientApp = Awaited<ReturnType<typeof startClientApp>>;

interface Message {
  readonly type: string;
  readonly data?: unknown;
}

/** Runs the guide's snippet under a heading as a process that prints what it receives. */
class Snippet {
  private output = '';
  private errors = '';

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
    });
  }

  static start(
    { name, check: [checked], interpreter = checked }: Program,
    ...args: readonly string[]
  ): Snippet {
    const [, language = '', text] =
      new RegExp(`^### ${name}\\n[^#]*?^\`\`\`(\\w+)\\n(.*?)^\`\`\`$`, 'ms').exec(guide) ?? [];
    if (text === undefined) throw new Error(`docs/other-clients.md has no snippet under "${name}"`);
    // Inside the repository, where Node finds its packages.
    const cache = join(root, 'node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, 'snippet-'));
    const file = join(folder, `snippet.${language === 'js' ? 'mjs' : language}`);
    writeFileSync(file, text);
    const child = spawn(interpreter, [file, ...args]);
    onTestFinished(() => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    });
    return new Snippet(child);
  }

  get messages(): readonly Message[] {
    return this.output
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Message);
  }

  /** Resolves once the last printed message matches. */
  async printed(last: Partial<Message>): Promise<void> {
    await vi.waitFor(() => expect(this.messages.at(-1), this.errors).toMatchObject(last), patiently);
  }

  async exit(): Promise<void> {
    if (this.child.exitCode === null) await once(this.child, 'exit');
    expect(this.child.exitCode, this.errors).toBe(0);
  }
}

/**
 * A proxy that answers the first handshake with 503 and can cut connections without a close frame.
 */
async function unreliableProxy(url: string): Promise<{ url: string; reset(): void; end(): void }> {
  const clients = new Set<Socket>();
  let refused = false;
  const way = createServer((client) => {
    client.on('error', () => {});
    if (!refused) {
      refused = true;
      client.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    const server = connect(Number(new URL(url).port), '127.0.0.1');
    server.on('error', () => {});
    client.pipe(server).pipe(client);
    clients.add(client);
    client.on('close', () => {
      clients.delete(client);
      server.destroy();
    });
  });
  way.listen(0, '127.0.0.1');
  await once(way, 'listening');
  onTestFinished(() => void way.close());
  const through = new URL(url);
  through.port = String((way.address() as { port: number }).port);
  return {
    url: through.href,
    reset: () => clients.forEach((client) => client.resetAndDestroy()),
    end: () => clients.forEach((client) => client.destroy()),
  };
}

/** Runs one snippet through all interruptions. Resolves with the publications that it printed. */
async function follow(program: Program, { url, controls }: ClientApp): Promise<readonly unknown[]> {
  const user = program.name;
  const topic = `history/${user}`;
  const way = await unreliableProxy(url);
  const snippet = Snippet.start(program, way.url, user, topic);
  await snippet.printed({ type: 'subscribed' });
  const ends = [() => {}, way.reset, way.end, () => controls.close(user, 1001)];
  for (const [i, end] of ends.entries()) {
    await end();
    await controls.publish(topic, i);
    await snippet.printed({ data: i });
  }
  const large = 'x'.repeat(300_000);
  await controls.publish(topic, large);
  await snippet.printed({ data: large });
  await controls.close(user, 4503);
  await snippet.exit();
  const events = snippet.messages.filter(({ type }) => type === 'event');
  return events.map(({ data }) => (data === large ? 'large' : data));
}

describe('The snippets of docs/other-clients.md', () => {
  it('[L-10.3] [L-9.17] every snippet reconnects after 503, RST, FIN and 1001, takes 300 KB, and ends after 4503', async () => {
    const app = await startClientApp();
    const programs = clientPrograms.filter(runsWith);
    const seen = await Promise.all(
      programs.map((program) => follow(program, app).catch((error: unknown) => String(error))),
    );
    const names = programs.map(({ name }) => name);
    expect(Object.fromEntries(names.map((name, i) => [name, seen[i]]))).toEqual(
      Object.fromEntries(names.map((name) => [name, [0, 1, 2, 3, 'large']])),
    );
  }, 90_000);
});
