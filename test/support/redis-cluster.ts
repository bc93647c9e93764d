import { execFileSync } from 'node:child_process';
import { freePort, RedisServer } from './redis-server.js';

/** Slots, first and last, and the node that has them. */
interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly node: RedisServer;
}

/** A real Redis cluster of this test's own: three masters, each with a third of the slots. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  /** @param over is given what must run when the cluster is no longer needed */
  static async start(over?: (remove: () => Promise<void>) => void): Promise<RedisCluster> {
    const nodes: RedisServer[] = [];
    for (let i = 0; i < 3; i++) {
      // Not the port + 10,000 that is the default: that may be past the last.
      const busPort = String(await freePort());
      const cluster = [
        '--cluster-enabled',
        'yes',
        '--cluster-node-timeout',
        '2000',
        '--cluster-port',
        busPort,
      ];
      nodes.push(await RedisServer.start({ args: cluster }, over));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${String(port)}`);
    execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'ignore' });
    const cluster = new RedisCluster(nodes);
    await cluster.agreed();
    return cluster;
  }

  get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  /** Moves a slot, with its keys, from the node that has it to another; returns which. */
  async moveSlot(slot: number): Promise<{ readonly from: RedisServer; readonly to: RedisServer }> {
    const ranges = await this.ranges();
    const from = ranges.find(({ first, last }) => first <= slot && slot <= last)?.node;
    const to = this.nodes.find((node) => node !== from);
    if (from === undefined || to === undefined) throw new Error(`Nobody has slot ${String(slot)}`);
    const [fromId, toId] = [
      String(await from.run('CLUSTER', 'MYID')),
      String(await to.run('CLUSTER', 'MYID')),
    ];
    await to.run('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId);
    await from.run('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId);
    const keys = (await from.run('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')) as string[];
    if (keys.length > 0)
      await from.run('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
    for (const node of [to, from, ...this.nodes])
      await node.run('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId);
    return { from, to };
  }

  private async ranges(): Promise<SlotRange[]> {
    const rows = (await this.nodes[0]?.run('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    return rows.flatMap(([first, last, [, port]]) => {
      const node = this.nodes.find((each) => each.port === port);
      return node === undefined ? [] : [{ first, last, node }];
    });
  }

  /** Resolves when every node knows that the cluster is whole. */
  private async agreed(): Promise<void> {
    for (const node of this.nodes) {
      while (!String(await node.run('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
        await new Promise((resolve) => {
          setTimeout(resolve, 50);
        });
      }
    }
  }
}
