import { onTestFinished } from 'vitest';
import { NatsServer } from '../../support/nats-server.js';
import { RedisServer } from '../../support/redis-server.js';
import type { KillOptions } from './kill-run.js';

/** Starts a real engine for this test and returns its URL. */
export async function startEngine(engine: KillOptions['engine']): Promise<string> {
  if (engine === 'redis') return (await RedisServer.start()).url;
  const server = await NatsServer.start();
  onTestFinished(() => server.remove());
  return server.url;
}
