import type { INestApplication } from '@nestjs/common';
import { LiveService } from 'nestjs-live';
import { HandshakeRefused, LiveTestClient } from 'nestjs-live/testing';
import { seen } from './app.module.js';

/** Uses an initialized application, closes it, and returns what happened in one line. */
export async function drive(app: INestApplication): Promise<string> {
  const live = app.get(LiveService);
  const refused: unknown = await LiveTestClient.connect(live.url()).catch((error: unknown) => error);
  const status = refused instanceof HandshakeRefused ? refused.statusCode : 'let in';
  const client = await LiveTestClient.connect(live.url(), { token: 'ann' });
  await client.request({ type: 'subscribe', id: 1, topic: 'fleet/7' });
  await live.publish('fleet/7', { speed: 1 });
  const event = await client.nextOf('event');
  const answer = (await client.request({ type: 'greet', id: 2 })) as { data?: { hello?: string } };
  await app.close();
  const { code } = await client.closed;
  return [
    `refused ${status}`,
    `event ${String(event['offset'])}`,
    `hello ${String(answer.data?.hello)}`,
    `closed ${code}`,
    `reason ${String(seen.reason)}`,
    `while closing ${String(seen.whileClosing)}`,
    `global interceptor ${seen.global > 0 ? 'ran' : 'did not run'}`,
  ].join(', ');
}
