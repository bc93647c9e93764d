import { IsNumber } from 'class-validator';
import { type } from 'arktype';
import * as v from 'valibot';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  defineTopic,
  LiveModule,
  LiveService,
  LiveTopic,
  type LiveTopicOptions,
  type LiveUser,
  snapshotAt,
} from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { BearerIsUser, platforms, startLiveApp } from '../support/live-app.js';
import { createHost, failureOf } from './support/host-app.js';
import { LogRecorder } from './support/log-recorder.js';

const position = z.object({ lat: z.number(), at: z.string().transform((at) => Date.parse(at)) });

@LiveTopic('fleet/:fleetId', {
  data: position,
  snapshot: v.object({ vehicles: v.array(v.string()) }),
  params: z.object({ fleetId: z.coerce.number().int() }),
})
class FleetTopic {
  asked: unknown[] = [];
  state: unknown = { vehicles: ['v1'], secret: 1 };

  canSubscribe(_user: LiveUser | null, params: { fleetId: number }): boolean {
    this.asked.push(params);
    return params.fleetId < 100;
  }

  canPublish(): boolean {
    return true;
  }

  snapshot({ fleetId }: { fleetId: number }): unknown {
    this.asked.push(fleetId);
    return this.state;
  }
}

@LiveTopic()
class ChatTopic {
  static readonly topic = defineTopic('chat/:room', {
    data: type({ text: 'string', by: 'string' }),
    clientPublish: type({ text: 'string' }).pipe(({ text }) => ({ text, by: 'a client' })),
  });

  canSubscribe(): boolean {
    return true;
  }

  canPublish(): boolean {
    return true;
  }
}

class NoteDto {
  @IsNumber() n!: number;
}

const at = '2026-01-01T00:00:00.000Z';

describe.each(platforms)('Topics with schemas, on %s', (_name, platform) => {
  const log = new LogRecorder();
  const start = async () => {
    const app = await startLiveApp({
      platform,
      options: { personal: { data: NoteDto } },
      providers: [FleetTopic, ChatTopic],
      before: log.use,
    });
    const client = await LiveTestClient.connect(app.url, { token: 'ann' });
    await client.next();
    return { ...app, client, live: app.app.get(LiveService), fleet: app.app.get(FleetTopic) };
  };

  it('[L-4.13] the application publishes the output of the schema, and wrong data reaches nobody', async () => {
    const { client, live } = await start();
    await client.request({ type: 'subscribe', id: 1, topic: 'fleet/7' });
    const outcomes = await live.publishMany([
      { topic: 'fleet/7', data: { lat: '1', at } },
      { topic: 'fleet/7', data: { lat: 1, at, secret: 1 } },
    ]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'validation-failed' } },
      { status: 'fulfilled', value: { offset: 1 } },
    ]);
    expect(await client.next()).toMatchObject({ type: 'event', data: { lat: 1, at: Date.parse(at) } });
  });

  it('[L-4.13] a client publishes the output of clientPublish, and is told where its data is wrong', async () => {
    const { client } = await start();
    await client.request({ type: 'subscribe', id: 1, topic: 'chat/a' });
    const wrong = await client.request({
      type: 'publish',
      id: 2,
      topic: 'chat/a',
      data: { text: 7, by: 'root' },
    });
    expect(wrong).toEqual({
      type: 'error',
      id: 2,
      code: 'validation-failed',
      message: '"data.text" does not match the topic\'s schema',
      topic: 'chat/a',
    });
    client.send({ type: 'publish', id: 3, topic: 'chat/a', data: { text: 'hi', by: 'root' } });
    const received = [await client.next(), await client.next()];
    expect(received).toContainEqual(expect.objectContaining({ data: { text: 'hi', by: 'a client' } }));
  });

  it('[L-4.13] what is published to one user is checked as well', async () => {
    const { client, live } = await start();
    await client.request({ type: 'subscribe', id: 1, topic: '$user' });
    await expect(live.toUser('ann', { n: 'x' })).rejects.toMatchObject({ code: 'validation-failed' });
    await live.toUser('ann', { n: 1, more: 1 });
    expect(await client.next()).toMatchObject({ topic: '$user', data: { n: 1 } });
  });

  it('[L-3.17] the class gets the parameters as the schema makes them, and a name that does not match is not declared', async () => {
    const { client, live, fleet } = await start();
    const answers = [];
    for (const topic of ['fleet/7', 'fleet/seven', 'fleet/700'])
      answers.push(await client.request({ type: 'subscribe', id: topic, topic }));
    const forbidden = { code: 'forbidden', message: 'You may not do this with this topic' };
    expect(answers).toMatchObject([{ type: 'subscribed' }, forbidden, forbidden]);
    expect(fleet.asked).toEqual([{ fleetId: 7 }, 7, { fleetId: 700 }]);
    await expect(live.publish('fleet/seven', { lat: 1, at })).rejects.toMatchObject({
      code: 'validation-failed',
      message:
        '"params.fleetId" does not match the topic\'s schema, so "fleet/seven" is not a declared topic',
    });
  });

  it('[L-6.9] a snapshot that does not match is logged with its path, and the subscribe is answered unavailable', async () => {
    const { client, live, fleet } = await start();
    const snapshotOf = async (state: unknown) => {
      fleet.state = state;
      return client.request({ type: 'subscribe', id: 1, topic: 'fleet/7' });
    };
    expect(await snapshotOf({ vehicles: ['v1'], secret: 1 })).toMatchObject({
      snapshot: { vehicles: ['v1'] },
    });
    const first = await live.publish('fleet/7', { lat: 1, at });
    await client.next();
    for (const wrong of [
      { vehicles: ['v1', 'secret', 3] },
      snapshotAt(first, { vehicles: ['v1', 'secret', 3] }),
    ]) {
      const answer = await snapshotOf(Promise.resolve(wrong));
      expect(answer).toMatchObject({ type: 'error', code: 'unavailable' });
      expect(JSON.stringify(answer)).not.toContain('vehicles');
    }
    const logged = JSON.stringify(log.live('error').map((entry) => String((entry as { err: unknown }).err)));
    expect(logged).toContain('snapshot() of fleet/7');
    expect(logged).toContain('snapshot.vehicles[2]');
    expect(logged).not.toContain('secret');
  });

  afterEach(() => {
    log.entries.length = 0;
  });
});

describe('A schema that can never apply', () => {
  const starting = async (options: LiveTopicOptions, pattern = 'fleet/:id'): Promise<string> => {
    @LiveTopic(pattern, options)
    class Topic {
      canSubscribe(): boolean {
        return true;
      }
    }
    const live = LiveModule.forRoot({ guards: [BearerIsUser], port: 0 });
    const app = await createHost('express', { imports: [live], providers: [BearerIsUser, Topic] });
    return failureOf(app.init());
  };
  const schema = z.object({});

  it.each<[string, LiveTopicOptions, string?]>([
    ['"snapshot of Topic" has nothing to check: the class has no snapshot()', { snapshot: schema }],
    [
      '"clientPublish of Topic" has nothing to check: the class has no canPublish()',
      { clientPublish: schema },
    ],
    ['"params of Topic" has nothing to check: \'fleet/*\' has no parameter', { params: schema }, 'fleet/*'],
    ['"data of Topic" is a value of type object', { data: {} as LiveTopicOptions['data'] & object }],
  ])('a schema that can never apply is a start error: %s', async (message, options, pattern) => {
    expect(await starting(options, pattern)).toContain(`LiveModule: ${message}`);
  });
});
