import { onTestFinished } from 'vitest';
import { NatsBroker, type NatsBrokerOptions } from '../../../src/brokers/nats/index.js';
import { silentSink } from '../../../src/core/ports/broker.js';
import { sleep, until } from '../../brokers/support/waiting.js';
import { NatsServer, startNatsCluster } from '../../support/nats-server.js';
import { faultTopics } from './fault-world.js';
import type { Store, StoreFault } from './store-fault.js';

const stream = 'LIVE';

/** Before 2.9.21, replicated streams may let two publishers win, so the broker refuses them. */
const onCopies = 1;

/** A store on a single server. */
async function single(
  strike: (server: NatsServer) => Promise<void>,
  config?: () => string,
  users: readonly [string, string] = ['', ''],
): Promise<Store> {
  const server = await NatsServer.start(config && { config });
  onTestFinished(() => server.remove());
  const [one, two] = users.map((user) => server.url.replace('//', `//${user}`));
  return { urls: [one ?? '', two ?? ''], strike: () => strike(server) };
}

/** The server returns with the data it had `lostMs` ago. */
async function goesBack(server: NatsServer, lostMs: number): Promise<void> {
  await server.stop();
  server.backUp();
  await server.start();
  await sleep(lostMs);
  await server.stop('SIGKILL');
  server.restore();
  await server.start();
}

async function restart(server: NatsServer, signal?: NodeJS.Signals): Promise<void> {
  await server.stop(signal);
  await server.start();
}

/** Creates the same stream again, empty, with its name, subjects and settings. */
async function makeAgain(server: NatsServer): Promise<void> {
  await server.withManager(async ({ streams }) => {
    const { config } = await streams.info(stream);
    await streams.delete(stream);
    await streams.add(config);
  });
}

/** Users whose rights are taken by a reload and given back by another. */
function rights(taken: string): Promise<Store> {
  let isTaken = false;
  const user = (name: string): string =>
    `{ user: ${name}, password: p${isTaken ? `, permissions: { ${taken} }` : ''} }`;
  const config = (): string =>
    `authorization { users = [ ${user('a')}, ${user('b')}, { user: all, password: p } ] }`;
  const strike = async (server: NatsServer): Promise<void> => {
    isTaken = true;
    server.reload();
    await sleep(2_000);
    isTaken = false;
    server.reload();
  };
  return single(strike, config, ['a:p@', 'b:p@']);
}

/**
 * A store of three servers. The leader of its stream is the server that the first instance uses.
 */
async function cluster(
  options: NatsBrokerOptions,
  strike: (leader: NatsServer, servers: readonly NatsServer[]) => Promise<void>,
): Promise<Store> {
  const servers = await startNatsCluster();
  onTestFinished(async () => void (await Promise.all(servers.map((server) => server.remove()))));
  const [first] = servers;
  const maker = new NatsBroker({ ...options, url: first?.url ?? '' });
  maker.start(silentSink);
  await until('the stream exists', () => maker.available, 30_000);
  await maker.close();
  const leader = await leaderOf(servers);
  const other = servers.find((server) => server !== leader);
  return {
    urls: [leader.url, other?.url ?? ''],
    options: { dangerouslyAllowUnsafeReplicas: options.dangerouslyAllowUnsafeReplicas },
    strike: async () => strike(await leaderOf(servers), servers),
  };
}

async function leaderOf(servers: readonly NatsServer[]): Promise<NatsServer> {
  for (const server of servers) {
    const info = await server.withManager(({ streams }) => streams.info(stream)).catch(() => undefined);
    const leader = servers[Number(info?.cluster?.leader?.slice(1))];
    if (leader !== undefined) return leader;
  }
  throw new Error('The stream has no leader');
}

export const natsStoreFaults: readonly StoreFault[] = [
  { name: 'a clean restart', cost: 'nothing', begin: () => single(restart) },
  {
    name: 'a kill that leaves the files',
    cost: 'nothing',
    begin: () => single((server) => restart(server, 'SIGKILL')),
  },
  {
    name: 'lame duck mode before a restart',
    cost: 'nothing',
    begin: () =>
      single(async (server) => {
        server.signal('SIGUSR2');
        await sleep(500);
        await restart(server, 'SIGKILL');
      }),
  },
  {
    name: 'a right to subscribe is revoked and restored',
    cost: 'nothing',
    begin: () => rights('subscribe: { allow: [ "_INBOX.>", "live.signal", "live.turn", "live.out.%life" ] }'),
  },
  {
    name: 'a right to publish is revoked and restored',
    cost: 'nothing',
    begin: () => rights('publish: { deny: [ "live.in.>" ] }'),
  },
  {
    name: 'a store that returns to an older state',
    cost: 'what is lost',
    begin: () => single((server) => goesBack(server, 2_000)),
  },
  {
    name: 'a store that is deleted',
    cost: 'what is lost',
    begin: () =>
      single(async (server) => {
        await server.stop('SIGKILL');
        server.forget();
        await server.start();
      }),
  },
  {
    name: 'a stream that is deleted',
    cost: 'what is lost',
    begin: () =>
      single((server) => server.withManager(async ({ streams }) => void (await streams.delete(stream)))),
  },
  {
    name: 'a stream that is created again with its settings',
    cost: 'what is lost',
    begin: () => single(makeAgain),
  },
  {
    name: 'a purge',
    cost: 'what is lost',
    begin: () =>
      single((server) => server.withManager(async ({ streams }) => void (await streams.purge(stream)))),
  },
  {
    name: 'a purge of single topics',
    cost: 'what is lost',
    begin: () =>
      single((server) =>
        server.withManager(async ({ streams }) => {
          for (const topic of faultTopics.slice(0, 5))
            await streams.purge(stream, { filter: `live.in.*.${topic.replace('/', '%2F')}` });
        }),
      ),
  },
  ...([true, undefined] as const).map((awake): StoreFault => ({
    name: `a restart of the cluster server with the only copy${awake ? '' : ' while an instance is suspended'}`,
    cost: 'nothing',
    ...(awake && { awake }),
    begin: () => cluster({}, (leader) => restart(leader)),
  })),
  {
    name: 'three copies whose leader changes',
    cost: 'nothing',
    publishers: onCopies,
    begin: () =>
      cluster({ stream: { replicas: 3 }, dangerouslyAllowUnsafeReplicas: true }, async (leader) => {
        await leader.stepDown(stream);
        await sleep(2_000);
      }),
  },
  {
    name: 'three copies whose leader is killed and restarted',
    cost: 'nothing',
    publishers: onCopies,
    begin: () =>
      cluster({ stream: { replicas: 3 }, dangerouslyAllowUnsafeReplicas: true }, async (leader) => {
        await leader.stop('SIGKILL');
        await sleep(2_000);
        await leader.start();
      }),
  },
];
