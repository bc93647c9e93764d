import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, until } from '../../brokers/support/waiting.js';
import { hashSlot } from '../../../src/brokers/redis/hash-slot.js';
import { RedisCluster } from '../../support/redis-cluster.js';
import { RedisSentinels } from '../../support/redis-sentinels.js';
import { RedisServer } from '../../support/redis-server.js';
import { faultTopics } from './fault-world.js';
import type { Store, StoreFault } from './store-fault.js';

const appendOnly = ['--appendonly', 'yes'];
/** A save schedule that no test reaches. */
const dump = ['--dbfilename', 'dump.rdb', '--save', '3600 100000000'];

/** A store on a single server. */
async function single(
  args: readonly string[],
  strike: (server: RedisServer) => Promise<void>,
  prepare?: (server: RedisServer) => Promise<void>,
): Promise<Store> {
  const server = await RedisServer.start({ args });
  await prepare?.(server);
  return { urls: [server.url, server.url], strike: () => strike(server) };
}

/** The server returns with the content that a file or folder had `lostMs` ago. */
async function goesBack(server: RedisServer, file: string, lostMs: number): Promise<void> {
  const [now, copy] = [join(server.folder, file), join(server.folder, 'copy')];
  rmSync(copy, { recursive: true, force: true });
  cpSync(now, copy, { recursive: true });
  await sleep(lostMs);
  await server.stop('SIGKILL');
  rmSync(now, { recursive: true });
  cpSync(copy, now, { recursive: true });
  await server.start();
}

async function follows(server: RedisServer): Promise<boolean> {
  return server.run('INFO', 'replication').then(
    (info) => String(info).includes('master_link_status:up'),
    () => false,
  );
}

async function pair(): Promise<readonly [RedisServer, RedisServer]> {
  const first = await RedisServer.start();
  const replica = ['--replicaof', '127.0.0.1', String(first.port), '--repl-diskless-sync-delay', '0'];
  const second = await RedisServer.start({ args: replica });
  await until('the replica is in step', () => follows(second), 10_000);
  return [first, second];
}

/** Promotes a replica while its master still accepts writes, then swaps the two. */
async function byPromotion(before?: (master: RedisServer) => Promise<void>): Promise<Store> {
  let [master, replica] = await pair();
  const urls = [master.url, replica.url].join();
  return {
    urls: [urls, urls],
    async strike() {
      await replica.run('REPLICAOF', 'NO', 'ONE');
      await sleep(500);
      await before?.(master);
      await master.run('REPLICAOF', '127.0.0.1', String(replica.port));
      [master, replica] = [replica, master];
      await until('the old master follows', () => follows(replica), 20_000);
    },
  };
}

/** A master and a replica under sentinels, which promote the replica. */
async function bySentinel(
  strike: (group: RedisSentinels, master: RedisServer) => Promise<void>,
  mend?: (master: RedisServer) => Promise<void>,
): Promise<Store> {
  const group = await RedisSentinels.start();
  let master = group.servers[0];
  return {
    urls: [group.url, group.url],
    async strike() {
      await strike(group, master);
      await until('another is the master', async () => (await group.masterPort()) !== master.port, 30_000);
    },
    async settle() {
      await mend?.(master);
      await until('the old master follows', () => group.follows(master), 40_000);
      master = group.servers.find((server) => server !== master) ?? master;
    },
  };
}

const keysOf = (topic: string): string[] => [`live:{${topic}}`, `live:{${topic}}:h`];

export const redisStoreFaults: readonly StoreFault[] = [
  {
    name: 'a clean restart with an append-only file',
    cost: 'nothing',
    begin: () =>
      single(appendOnly, async (server) => {
        await server.stop();
        await server.start();
      }),
  },
  {
    name: 'a restart that loads 200,000 keys',
    cost: 'nothing',
    begin: () =>
      single(
        [...appendOnly, '--key-load-delay', '15'],
        async (server) => {
          await server.stop();
          await server.start();
        },
        async (server) => {
          const script = "for i = 1, 200000 do redis.call('SET', KEYS[1] .. i, i) end";
          await server.run('EVAL', script, '1', 'other:');
          await server.run('BGREWRITEAOF');
          await sleep(1_000);
        },
      ),
  },
  {
    name: 'a crash that loses the last second of the append-only file',
    cost: 'what is lost',
    begin: () => single(appendOnly, (server) => goesBack(server, 'appendonlydir', 1_000)),
  },
  {
    name: 'a crash that goes back to the last dump',
    cost: 'what is lost',
    begin: () =>
      single(dump, async (server) => {
        await server.run('SAVE');
        await sleep(1_000);
        await server.stop('SIGKILL');
        await server.start();
      }),
  },
  {
    name: 'a restored backup',
    cost: 'what is lost',
    begin: () =>
      single(dump, async (server) => {
        await server.run('SAVE');
        const backup = join(server.folder, 'backup');
        cpSync(join(server.folder, 'dump.rdb'), backup);
        await sleep(3_000);
        await server.stop();
        cpSync(backup, join(server.folder, 'dump.rdb'));
        await server.start();
      }),
  },
  {
    name: 'FLUSHDB',
    cost: 'what is lost',
    begin: () => single([], async (server) => void (await server.run('FLUSHDB'))),
  },
  {
    name: 'the deletion of topic keys one by one',
    cost: 'what is lost',
    begin: () =>
      single([], async (server) => {
        const keys = faultTopics.flatMap(keysOf);
        for (const [i, key] of keys.entries()) if (i % 3 === 0) await server.run('DEL', key);
      }),
  },
  {
    name: 'the expiry of histories',
    cost: 'what is lost',
    begin: () =>
      single([], async (server) => {
        for (const topic of faultTopics) await server.run('PEXPIRE', `live:{${topic}}:h`, '1');
        await sleep(50);
      }),
  },
  {
    name: 'the eviction of keys for lack of memory',
    cost: 'what is lost',
    begin: () =>
      single(['--maxmemory-policy', 'allkeys-random'], async (server) => {
        const used = /^used_memory:(\d+)/m.exec(String(await server.run('INFO', 'memory')))?.[1];
        await server.run('CONFIG', 'SET', 'maxmemory', String(Math.round(Number(used) * 0.8)));
        await sleep(300);
        await server.run('CONFIG', 'SET', 'maxmemory', '0');
      }),
  },
  {
    name: 'the promotion of a replica that was behind and its demotion without a restart',
    cost: 'what is lost',
    begin: () => byPromotion(),
  },
  {
    name: 'the promotion of a replica that was behind and a restart of the old master',
    cost: 'what is lost',
    begin: () =>
      byPromotion(async (master) => {
        await master.stop('SIGKILL');
        await master.start();
      }),
  },
  ...([true, undefined] as const).map((awake): StoreFault => ({
    name: `a planned failover by Sentinel${awake ? '' : ' while an instance is suspended'}`,
    cost: awake ? 'nothing' : 'what is lost',
    ...(awake && { awake }),
    begin: () => bySentinel(async (group) => void (await group.run(0, 'SENTINEL', 'FAILOVER', 'main'))),
  })),
  {
    name: 'a failover by Sentinel from a master that died',
    cost: 'what is lost',
    begin: () =>
      bySentinel(
        (_group, master) => master.stop('SIGKILL'),
        (master) => master.start(),
      ),
  },
  {
    name: 'the move of cluster slots',
    cost: 'nothing',
    async begin() {
      const cluster = await RedisCluster.start();
      const urls = cluster.urls.join();
      return {
        urls: [urls, urls],
        async strike() {
          for (const topic of faultTopics.slice(0, 3)) await cluster.moveSlot(hashSlot(`{${topic}}`));
        },
      };
    },
  },
  {
    name: 'the death of a cluster master',
    cost: 'what is lost',
    async begin() {
      const cluster = await RedisCluster.start({ replicas: 1 });
      const urls = cluster.urls.join();
      return {
        urls: [urls, urls],
        async strike() {
          await cluster.loseMaster(hashSlot(`{${faultTopics[0] ?? ''}}`));
        },
      };
    },
  },
];
