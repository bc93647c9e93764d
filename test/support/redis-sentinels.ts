import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { onTestFinished } from 'vitest';
import { freePort, RedisServer } from './redis-server.js';

export interface RedisSentinelsOptions {
  /** The password of the sentinels themselves. */
  readonly password?: string;
}

interface Sentinel {
  readonly port: number;
  readonly folder: string;
  child?: ChildProcess;
}

/** A master, its replica, and three real sentinels that watch them as `main`. */
export class RedisSentinels {
  private readonly sentinels: Sentinel[] = [];

  private constructor(
    readonly servers: readonly [RedisServer, RedisServer],
    private readonly options: RedisSentinelsOptions,
  ) {}

  static async start(options: RedisSentinelsOptions = {}): Promise<RedisSentinels> {
    const master = await RedisServer.start();
    const replica = await RedisServer.start({
      args: ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0'],
    });
    const group = new RedisSentinels([master, replica], options);
    onTestFinished(() => group.remove());
    for (let i = 0; i < 3; i++) {
      const sentinel: Sentinel = {
        port: await freePort(),
        folder: mkdtempSync(join(tmpdir(), 'sentinel-')),
      };
      group.sentinels.push(sentinel);
      group.configure(sentinel);
      await group.startSentinel(i);
    }
    while (!(await group.agreed())) await new Promise((resolve) => void setTimeout(resolve, 50));
    return group;
  }

  get addresses(): string[] {
    return this.sentinels.map(({ port }) => `127.0.0.1:${String(port)}`);
  }

  get url(): string {
    return `redis+sentinel://${this.addresses.join(',')}/main`;
  }

  /** Runs a command on one sentinel. */
  async run(at: number, ...command: readonly string[]): Promise<unknown> {
    const { password } = this.options;
    const client = createClient({
      ...(password !== undefined && { password }),
      socket: { host: '127.0.0.1', port: this.sentinels[at]?.port ?? 0, reconnectStrategy: false },
      disableClientInfo: true,
    });
    client.on('error', () => {});
    await client.connect();
    try {
      return await client.sendCommand([...command]);
    } finally {
      client.destroy();
    }
  }

  /** The port of the master according to one sentinel. */
  async masterPort(at = 0): Promise<number> {
    const [, port] = (await this.run(at, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')) as string[];
    return Number(port);
  }

  /** Whether a server is the replica of the other one and in sync. */
  follows(server: RedisServer): Promise<boolean> {
    return server.run('INFO', 'replication').then(
      (info) => String(info).includes('master_link_status:up'),
      // A demoted server closes its clients.
      () => false,
    );
  }

  async stopSentinel(at: number): Promise<void> {
    const sentinel = this.sentinels[at];
    const child = sentinel?.child;
    if (sentinel === undefined || child === undefined) return;
    delete sentinel.child;
    const ended = new Promise((done) => void child.once('exit', done));
    child.kill('SIGKILL');
    await ended;
  }

  async startSentinel(at: number): Promise<void> {
    const sentinel = this.sentinels[at];
    if (sentinel === undefined) return;
    const file = join(sentinel.folder, 'sentinel.conf');
    sentinel.child = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((ready, failed) => {
      sentinel.child?.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('+monitor')) ready();
      });
      sentinel.child?.once('exit', () => failed(new Error('redis-server --sentinel ended')));
    });
  }

  /** The sentinel writes its own state into this file. */
  private configure({ port, folder }: Sentinel): void {
    const { password } = this.options;
    const lines = [
      `port ${String(port)}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${String(this.servers[0].port)} 2`,
      'sentinel down-after-milliseconds main 1000',
      'sentinel failover-timeout main 10000',
      ...(password === undefined ? [] : [`requirepass ${password}`, `sentinel sentinel-pass ${password}`]),
    ];
    writeFileSync(join(folder, 'sentinel.conf'), lines.join('\n'));
  }

  /** Whether each sentinel knows the replica and the other two. */
  private async agreed(): Promise<boolean> {
    for (const at of this.sentinels.keys()) {
      const [others, replicas] = (await Promise.all(
        ['SENTINELS', 'REPLICAS'].map((what) => this.run(at, 'SENTINEL', what, 'main')),
      )) as { flags: string; 'master-link-status'?: string }[][];
      if (others?.length !== 2 || replicas?.[0]?.['master-link-status'] !== 'ok') return false;
    }
    return true;
  }

  private async remove(): Promise<void> {
    for (const [at, { folder }] of this.sentinels.entries()) {
      await this.stopSentinel(at);
      rmSync(folder, { recursive: true, force: true });
    }
  }
}
