import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { onTestFinished } from 'vitest';
import { makeCertificate } from './certificate.js';

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening) => {
    probe.listen(0, '127.0.0.1', listening);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => {
    probe.close(closed);
  });
  return port;
}

export interface RedisServerOptions {
  /** More settings of `redis.conf`, as arguments. */
  readonly args?: readonly string[];
  /** Listens with TLS only, with a self-signed certificate for 127.0.0.1. */
  readonly tls?: boolean;
}

type AdminClient = ReturnType<typeof createClient>;

/** A real redis-server for this test, on a free loopback port with a private folder. */
export class RedisServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'redis-'));
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly options: RedisServerOptions,
  ) {}

  /** @param over receives the function that removes the server */
  static async start(
    options: RedisServerOptions = {},
    over: (remove: () => Promise<void>) => void = onTestFinished,
  ): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options);
    over(() => server.remove());
    if (options.tls === true) makeCertificate(server.folder);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis${this.options.tls === true ? 's' : ''}://127.0.0.1:${String(this.port)}`;
  }

  get certificateFile(): string {
    return join(this.folder, 'cert.pem');
  }

  /** Starts a stopped server again. It loads the data in its folder. */
  async start(): Promise<void> {
    const { tls, args = [] } = this.options;
    const keyFile = join(this.folder, 'key.pem');
    const certificate = ['--tls-cert-file', this.certificateFile, '--tls-ca-cert-file', this.certificateFile];
    const encrypted = ['--port', '0', '--tls-port', String(this.port), ...certificate].concat([
      '--tls-key-file',
      keyFile,
      '--tls-auth-clients',
      'no',
    ]);
    const listen = tls === true ? encrypted : ['--port', String(this.port)];
    const child = spawn(
      'redis-server',
      [...listen, '--bind', '127.0.0.1', '--dir', this.folder, '--save', '', ...args],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.child = child;
    await new Promise<void>((ready, failed) => {
      let said = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('Ready to accept connections')) ready();
      });
      child.once('exit', () => failed(new Error(`redis-server ended: ${said}`)));
    });
  }

  /** `SIGKILL` leaves the server no time to save anything. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.child = undefined;
    const ended = new Promise((done) => {
      child.once('exit', done);
    });
    child.kill('SIGCONT');
    child.kill(signal);
    await ended;
  }

  /** Suspends the process and keeps its connections open. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Runs a command with all rights. */
  async run(...command: readonly string[]): Promise<unknown> {
    const client = await this.admin();
    try {
      return await client.sendCommand([...command]);
    } finally {
      client.destroy();
    }
  }

  /** A connection for the test itself. The caller closes it. */
  async admin(): Promise<AdminClient> {
    const client = createClient({
      url: this.url,
      ...(this.options.tls === true && { socket: { tls: true, rejectUnauthorized: false } }),
    }) as AdminClient;
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** Calls of each command since the last `CONFIG RESETSTAT`, by lowercase name. */
  async commandCounts(): Promise<ReadonlyMap<string, number>> {
    const text = String(await this.run('INFO', 'commandstats'));
    return new Map(
      [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [
        name,
        Number(calls),
      ]),
    );
  }

  private async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
