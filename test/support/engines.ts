import { onTestFinished } from 'vitest';
import { NatsServer } from './nats-server.js';
import { natsServer, type Program, redisServer } from './programs.js';
import { RedisServer } from './redis-server.js';

/** A server that a test may stop and start. */
export interface EngineServer {
  readonly url: string;
  start(): Promise<void>;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface Engine {
  readonly name: string;
  readonly program: Program;
  /** A server of the test's own, removed when it has finished. */
  start(): Promise<EngineServer>;
}

/** What instances can share their streams and signals by. */
export const engines: readonly Engine[] = [
  { name: 'Redis', program: redisServer, start: () => RedisServer.start() },
  {
    name: 'NATS',
    program: natsServer,
    async start() {
      const server = await NatsServer.start();
      onTestFinished(() => server.remove());
      return server;
    },
  },
];
