import type { JetStreamManager } from '@nats-io/jetstream';
import { onTestFinished } from 'vitest';
import { NatsServer } from './nats-server.js';
import { natsServer, type Program, redisServer } from './programs.js';
import { RedisServer } from './redis-server.js';

/** A server that a test may stop and start. */
export interface EngineServer {
  readonly url: string;
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** The number of stored keys, or of subjects in streams. */
  count(): Promise<number>;
}

export interface Engine {
  readonly name: string;
  readonly program: Program;
  /** A server for this test, removed when the test has finished. */
  start(): Promise<EngineServer>;
}

/** The engines that instances can share streams and signals through. */
export const engines: readonly Engine[] = [
  {
    name: 'Redis',
    program: redisServer,
    async start() {
      const server = await RedisServer.start();
      return asEngine(server, async () => Number(await server.run('DBSIZE')));
    },
  },
  {
    name: 'NATS',
    program: natsServer,
    async start() {
      const server = await NatsServer.start();
      onTestFinished(() => server.remove());
      return asEngine(server, () => server.withManager(subjectsOf));
    },
  },
];

function asEngine(server: Omit<EngineServer, 'count'>, count: EngineServer['count']): EngineServer {
  return {
    url: server.url,
    start: () => server.start(),
    stop: (signal) => server.stop(signal),
    count,
  };
}

async function subjectsOf(manager: JetStreamManager): Promise<number> {
  let subjects = 0;
  for await (const { state } of manager.streams.list()) subjects += state.num_subjects ?? 0;
  return subjects;
}
