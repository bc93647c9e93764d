import { execFileSync } from 'node:child_process';
import { freePort, RedisServer } from './redis-server.js';

/** A range of slots and the node that owns it. */
interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly node: RedisServer;
}

export interface RedisClusterOptions {
  /** Replicas of each master. */
  readonly replicas?: number;
  /** Receives the function that removes the cluster. */
  readonly over?: (remove: () => Promise<void>) => void;
}

/** A real Redis cluster for this test: three masters, each with a third of the slots. */
export class RedisCluster {
  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async start({ replicas = 0, over }: RedisClusterOptions = {}): Promise<RedisCluster> {
    const nodes: RedisServer[] = [];
    for (let i = 0; i < 3 * (1 + replicas); i++) {
      // The default, port + 10,000, may be above 65,535.
      const busPort = String(await freePort());
      const cluster = [
        '--cluster-enabled',
        'yes',
        '--cluster-node-timeout',
        '2000',
        '--cluster-port',
        busPort,
        '--repl-diskless-sync-delay',
        '0',
      ];
      nodes.push(await RedisServer.start({ args: cluster }, over));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${String(port)}`);
    const create = [
      '--cluster',
      'create',
      ...addresses,
      '--cluster-replicas',
      String(replicas),
      '--cluster-yes',
    ];
    execFileSync('redis-cli', create, { stdio: 'ignore' });
    const cluster = new RedisCluster(nodes);
    await cluster.agreed();
    return cluster;
  }

  get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  /** Moves a slot with its keys to another node. */
  async moveSlot(slot: number): Promise<void> {
    await (await this.beginMove(slot)).end();
  }

  /** Starts to move a slot to another node. None of its keys have moved yet. */
  async beginMove(slot: number): Promise<{ readonly end: () => Promise<void> }> {
    const from = await this.masterOf(slot);
    const to = this.nodes.find((node) => node !== from);
    if (to === undefined) throw new Error('There is no other node');
    const [fromId, toId] = [
      String(await from.run('CLUSTER', 'MYID')),
      String(await to.run('CLUSTER', 'MYID')),
    ];
    await to.run('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId);
    await from.run('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId);
    return {
      end: async () => {
        const keys = (await from.run('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')) as string[];
        if (keys.length > 0)
          await from.run('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
        for (const node of [to, from, ...this.nodes])
          await node.run('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId);
      },
    };
  }

  /**
   * Kills the master of a slot. Resolves once its replica has replaced it and it is a replica
   * itself.
   */
  async loseMaster(slot: number): Promise<void> {
    const master = await this.masterOf(slot);
    await master.stop('SIGKILL');
    const others = this.nodes.filter((node) => node !== master);
    const isReplaced = async (): Promise<boolean> => (await this.masterOf(slot, others)) !== master;
    while (!(await isReplaced())) await pause();
    await master.start();
    await this.agreed();
  }

  async masterOf(slot: number, asked = this.nodes): Promise<RedisServer> {
    const range = (await this.ranges(asked)).find(({ first, last }) => first <= slot && slot <= last);
    if (range === undefined) throw new Error(`No node owns slot ${String(slot)}`);
    return range.node;
  }

  private async ranges([asked] = this.nodes): Promise<SlotRange[]> {
    const rows = (await asked?.run('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    return rows.flatMap(([first, last, [, port]]) => {
      const node = this.nodes.find((each) => each.port === port);
      return node === undefined ? [] : [{ first, last, node }];
    });
  }

  /** Resolves once every node reports that the cluster is complete. */
  private async agreed(): Promise<void> {
    for (const node of this.nodes) {
      while (!String(await node.run('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
        await pause();
      }
    }
  }
}

const pause = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
