import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { freePort } from '../module/support/ports.js';

export interface NatsServerOptions {
  /** Additional lines of the configuration file. */
  readonly config?: (folder: string) => string;
}

/** A cluster of three servers, `n0` to `n2`. The caller removes them. */
export async function startNatsCluster(): Promise<NatsServer[]> {
  const ports = [await freePort(), await freePort(), await freePort()];
  const routes = ports.map((port) => `nats://127.0.0.1:${String(port)}`).join(', ');
  const starting = ports.map((port, i) =>
    NatsServer.start({
      config: () =>
        `server_name: n${String(i)}, cluster { name: c, listen: "127.0.0.1:${String(port)}", routes: [${routes}] }`,
    }),
  );
  return Promise.all(starting);
}

/**
 * A real nats-server with JetStream for this test, on a free loopback port with a private folder.
 */
export class NatsServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'nats-'));
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly options: NatsServerOptions,
  ) {}

  /** The caller removes the server. */
  static async start(options: NatsServerOptions = {}): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${String(this.port)}`;
  }

  /** Starts a stopped server again with the data in its folder. */
  async start(): Promise<void> {
    const file = this.configure();
    const child = spawn('nats-server', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.child = child;
    let said = '';
    await new Promise<void>((ready, failed) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        if (said.length < 100_000) said += chunk.toString();
        if (said.includes('Server is ready')) ready();
      });
      child.once('error', failed);
      child.once('exit', () => failed(new Error(`nats-server ended: ${said}`)));
    });
  }

  /** Makes the server read its configuration again. */
  reload(): void {
    this.configure();
    this.signal('SIGHUP');
  }

  /** `SIGUSR2` starts lame duck mode: the server asks its clients to leave before it ends. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  private configure(): string {
    const file = join(this.folder, 'nats.conf');
    writeFileSync(
      file,
      [
        `listen: "127.0.0.1:${String(this.port)}"`,
        `jetstream { store_dir: "${join(this.folder, 'store')}", max_file_store: 4GB, max_memory_store: 1GB }`,
        this.options.config?.(this.folder) ?? '',
      ].join('\n'),
    );
    return file;
  }

  /** `SIGKILL` leaves the server no time to write anything. */
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

  /** Deletes the stored data. */
  forget(): void {
    rmSync(join(this.folder, 'store'), { recursive: true, force: true });
  }

  /** Copies the stored data. The server must be stopped. */
  backUp(): void {
    cpSync(join(this.folder, 'store'), join(this.folder, 'copy'), { recursive: true });
  }

  /** Replaces the stored data with the copy. */
  restore(): void {
    this.forget();
    cpSync(join(this.folder, 'copy'), join(this.folder, 'store'), { recursive: true });
  }

  /** Runs `run` on JetStream with all rights. */
  async withManager<T>(run: (jsm: JetStreamManager) => Promise<T>): Promise<T> {
    const connection = await connect({ servers: this.url });
    try {
      return await run(await jetstreamManager(connection));
    } finally {
      await connection.close();
    }
  }

  /** Makes another server of the cluster the leader of a stream. */
  async stepDown(stream: string): Promise<void> {
    const connection = await connect({ servers: this.url });
    await connection.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: 5_000 });
    await connection.close();
  }

  /** Suspends the process and keeps its connections open. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
