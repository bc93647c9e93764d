import { Injectable, Module, Scope, type Type } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { LiveModule, LiveTopic, type LiveUser, type TopicParams } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { BearerIsUser, platforms, startLiveApp, type LiveAppOptions } from '../support/live-app.js';
import { createHost, failureOf } from './support/host-app.js';
import { LogRecorder } from './support/log-recorder.js';

@Injectable()
class Fleets {
  readonly drivers: Readonly<Record<string, readonly string[]>> = { '7': ['ann', 'bob'], '8': ['bob'] };
}

@LiveTopic('fleet/:fleetId')
class FleetTopic {
  constructor(private readonly fleets: Fleets) {}

  async canSubscribe(user: LiveUser | null, { fleetId }: TopicParams): Promise<boolean> {
    await Promise.resolve();
    return this.fleets.drivers[fleetId ?? '']?.includes(user?.id ?? '') ?? false;
  }

  snapshot({ fleetId }: TopicParams, topic: string): object {
    return { fleetId, topic, drivers: this.fleets.drivers[fleetId ?? ''] };
  }
}

@LiveTopic('fleet/depot')
class DepotTopic {
  canSubscribe(): boolean {
    return true;
  }

  canPublish(user: LiveUser | null): Promise<boolean> {
    return Promise.resolve(user?.id === 'bob');
  }
}

@LiveTopic('answers/:how')
class AnswersTopic {
  static readonly answers: Readonly<Record<string, () => unknown>> = {
    yes: () => true,
    no: () => false,
    promisedYes: () => Promise.resolve(true),
    promisedNo: () => Promise.resolve(false),
    nothing: () => undefined,
    truthy: () => 'yes',
    promisedTruthy: () => Promise.resolve(1),
    throws: () => {
      throw new Error('secret');
    },
    rejects: () => Promise.reject(new Error('secret')),
    silent: () => new Promise(() => {}),
  };

  canSubscribe(_user: LiveUser | null, { how }: TopicParams): boolean {
    return AnswersTopic.answers[how ?? '']?.() as boolean;
  }

  canPublish(user: LiveUser | null, params: TopicParams): boolean {
    return this.canSubscribe(user, params);
  }
}

/** A topic with this pattern that either everybody or nobody may subscribe to. */
function wideTopic(pattern: string, allows: boolean): Type {
  @LiveTopic(pattern)
  class WideTopic {
    canSubscribe(): boolean {
      return allows;
    }
  }
  return WideTopic;
}

const words = { code: 'forbidden', message: 'You may not do this with this topic' };

describe.each(platforms)('Topics, on %s', (_name, platform) => {
  const connect = async (token: string, setup: LiveAppOptions = {}) => {
    const live = await startLiveApp({
      platform,
      options: { authorizationTimeoutMs: 50 },
      providers: [Fleets, FleetTopic, DepotTopic, AnswersTopic],
      ...setup,
    });
    const client = await LiveTestClient.connect(live.url, { token });
    await client.next();
    return { ...live, client };
  };

  it('[L-3.3] a provider with dependencies decides who may subscribe, and unknown topics get the same answer', async () => {
    const { client } = await connect('ann');
    const epoch = expect.any(String) as string;
    const answers = [];
    for (const topic of ['fleet/7', 'fleet/8', 'fleet/9', 'nowhere/7', 'fleet', 'fleet/7/more']) {
      answers.push(await client.request({ type: 'subscribe', id: answers.length, topic }));
    }
    const refused = (id: number, topic: string) => ({ type: 'error', id, ...words, topic });
    expect(answers).toEqual([
      {
        type: 'subscribed',
        id: 0,
        topic: 'fleet/7',
        epoch,
        offset: 0,
        recovered: false,
        snapshot: { fleetId: '7', topic: 'fleet/7', drivers: ['ann', 'bob'] },
      },
      refused(1, 'fleet/8'),
      refused(2, 'fleet/9'),
      refused(3, 'nowhere/7'),
      refused(4, 'fleet'),
      refused(5, 'fleet/7/more'),
    ]);
  });

  it('[L-3.3] the most specific pattern wins in any order of the providers', async () => {
    for (const providers of [
      [Fleets, FleetTopic, DepotTopic],
      [DepotTopic, FleetTopic, Fleets],
    ]) {
      const { client } = await connect('ann', { providers });
      const depot = await client.request({ type: 'subscribe', id: 1, topic: 'fleet/depot' });
      expect(depot).toMatchObject({ type: 'subscribed' });
      expect(depot).not.toHaveProperty('snapshot');
    }
  });

  it.each([
    ['*/admin', ':tenant/:room', 'acme/admin'],
    ['a/*/secret', 'a/:x/**', 'a/1/secret'],
    [':t/admin', ':tenant/:room', 'acme/admin'],
  ])('[L-3.3] the pattern %s that denies wins over the wider %s that allows', async (narrow, wide, topic) => {
    const { client } = await connect('ann', { providers: [wideTopic(wide, true), wideTopic(narrow, false)] });
    expect(await client.request({ type: 'subscribe', id: 1, topic })).toMatchObject({ code: 'forbidden' });
  });

  it('the application does not start if two patterns overlap without an order, and the error names both', async () => {
    const providers = [wideTopic('a/:x', true), wideTopic(':y/b', false)];
    await expect(startLiveApp({ platform, providers })).rejects.toThrow(
      "@LiveTopic('a/:x') WideTopic and @LiveTopic(':y/b') WideTopic both match 'a/b'",
    );
  });

  it('[L-4.4] a client may publish only where canPublish allows it, and nowhere by default', async () => {
    const { client, url, live } = await connect('ann');
    const bob = await LiveTestClient.connect(url, { token: 'bob' });
    const publish = (id: number, topic: string) => ({ type: 'publish', id, topic, data: 1 });
    const refused = (id: number, topic: string) => ({ type: 'error', id, ...words, topic });
    expect(await client.request(publish(1, 'fleet/7'))).toEqual(refused(1, 'fleet/7'));
    expect(await client.request(publish(2, 'fleet/depot'))).toEqual(refused(2, 'fleet/depot'));
    expect(await client.request(publish(3, 'nowhere'))).toEqual(refused(3, 'nowhere'));
    expect(await bob.request(publish(4, 'fleet/depot'))).toMatchObject({ type: 'published', offset: 1 });
    // The application needs no right, but the topic must be declared.
    expect(await live.publish('fleet/7', 1)).toMatchObject({ offset: 1 });
    await expect(live.publish('nowhere', 1)).rejects.toMatchObject({ code: 'validation-failed' });
  });

  it.each(['subscribe', 'publish'] as const)(
    '[L-3.4] only a timely true allows to %s; another answer denies, and no answer is unavailable',
    async (type) => {
      const log = new LogRecorder();
      const { client } = await connect('ann', { before: log.use, providers: [AnswersTopic] });
      const allowed: string[] = [];
      const unanswered: string[] = [];
      for (const how of Object.keys(AnswersTopic.answers)) {
        const topic = `answers/${how}`;
        const answer = await client.request({ type, id: how, topic, data: 1 });
        if (answer['code'] === 'unavailable') unanswered.push(how);
        else if (answer.type === 'error') expect(answer).toEqual({ type: 'error', id: how, ...words, topic });
        else allowed.push(how);
      }
      expect(allowed).toEqual(['yes', 'promisedYes']);
      expect(unanswered).toHaveLength(3);
      const right = type === 'subscribe' ? 'canSubscribe' : 'canPublish';
      expect(log.live('error')).toEqual(
        ['secret', 'secret', `${right} did not answer within 50 ms`].map((message) => ({
          msg: `failed: asking ${right}`,
          connectionId: client.transcript[0]?.['connectionId'],
          err: new Error(message),
        })),
      );
    },
  );

  it('[S18] topics of every module are found, including a module that is imported twice', async () => {
    @Module({ providers: [Fleets, FleetTopic], exports: [FleetTopic] })
    class FleetModule {}
    @Module({ imports: [FleetModule] })
    class OtherModule {}
    const { client } = await connect('ann', { imports: [FleetModule, OtherModule], providers: [] });
    expect(await client.request({ type: 'subscribe', id: 1, topic: 'fleet/7' })).toMatchObject({
      recovered: false,
    });
  });

  it('[S18] a replacement of a topic provider decides for its topics, by a factory, value or test override', async () => {
    const standIn = { canSubscribe: () => true };
    for (const setup of [
      { providers: [{ provide: FleetTopic, useFactory: () => standIn }] },
      { providers: [{ provide: FleetTopic, useValue: standIn }] },
      {
        override: (builder: Parameters<NonNullable<LiveAppOptions['override']>>[0]) =>
          builder.overrideProvider(FleetTopic).useValue(standIn),
      },
    ]) {
      const { client } = await connect('nobody', setup);
      expect(await client.request({ type: 'subscribe', id: 1, topic: 'fleet/9' })).toMatchObject({
        type: 'subscribed',
      });
    }
  });
});

describe.each(platforms)('Topics at the start, on %s', (_name, platform) => {
  const startFailure = async (...providers: (new (...args: never[]) => object)[]): Promise<string> => {
    const live = LiveModule.forRoot({ port: 0, guards: [BearerIsUser] });
    const app = await createHost(platform, { imports: [live], providers: [Fleets, ...providers] });
    return failureOf(app.init());
  };

  it('[L-3.3] the application does not start if two providers declare the same topics', async () => {
    @LiveTopic('fleet/:id')
    class Again {
      canSubscribe(): boolean {
        return true;
      }
    }
    expect(await startFailure(FleetTopic, Again)).toBe(
      "LiveModule: @LiveTopic('fleet/:fleetId') FleetTopic and @LiveTopic('fleet/:id') Again declare the same topics. " +
        'Keep one of them.',
    );
  });

  it.each([
    [{ histroy: { size: 1 } }, '"histroy of Mistyped" is no option of nestjs-live. Did you mean "history"?'],
    [{ history: { length: 1 } }, '"history.length of Mistyped" is no option of nestjs-live'],
  ])('the application does not start with the unknown option of a topic %j', async (options, problem) => {
    @LiveTopic('mistyped', options as object)
    class Mistyped {
      canSubscribe(): boolean {
        return true;
      }
    }
    await expect(startLiveApp({ platform, providers: [Mistyped] })).rejects.toThrow(problem);
  });

  it('[L-3.3] the application does not start with a topic without canSubscribe, and the error says what to write', async () => {
    @LiveTopic('news')
    class News {}
    expect(await startFailure(News)).toBe(
      "LiveModule: @LiveTopic('news') News has no canSubscribe(user, params). Say who may read the topic; for everybody: " +
        'canSubscribe() { return true; }.',
    );
  });

  it('[L-3.3] the application does not start with a request-scoped topic provider', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {}
    @LiveTopic('news')
    class News {
      constructor(readonly perRequest: PerRequest) {}

      canSubscribe(): boolean {
        return true;
      }
    }
    expect(await startFailure(News, PerRequest)).toBe(
      'LiveModule: the topic News is request-scoped; a @LiveTopic provider must be a singleton.',
    );
  });

  it.each([
    [
      { snapshot: 'last-per-key', maxKeyAgeMs: 0 },
      '"maxKeyAgeMs of News" is 0, but must be an integer >= 1.',
    ],
    [
      { snapshot: 'last', maxKeyAgeMs: 1 },
      `"snapshot of News" is "last", but must be 'last-per-key' beside maxKeyAgeMs.`,
    ],
    [{ maxVersionAheadMs: -1 }, '"maxVersionAheadMs of News" is -1, but must be an integer >= 0.'],
    [
      { maxVersionAheadMs: 'soon' as never },
      '"maxVersionAheadMs of News" is "soon", but must be an integer >= 0.',
    ],
  ] as const)(
    'the application does not start with the topic options %j, and the error names the option',
    async (options, message) => {
      @LiveTopic('news', options)
      class News {
        canSubscribe(): boolean {
          return true;
        }
      }
      expect(await startFailure(News)).toBe(`LiveModule: ${message}`);
    },
  );

  it('a version too far ahead of the clock is refused on a topic with maxVersionAheadMs', async () => {
    @LiveTopic('fleet/*', { snapshot: 'last-per-key', maxKeyAgeMs: 60_000, maxVersionAheadMs: 1_000 })
    class Fleet {
      canSubscribe(): boolean {
        return true;
      }
    }

    const { live } = await startLiveApp({ platform, providers: [Fleet] });
    const put = (key: string, version: number) => live.publish('fleet/7', 1, { key, version });
    await put('van-1', Date.now());
    await expect(put('van-2', Date.now() + 3_600_000)).rejects.toThrow("ahead of the server's clock");
    expect((await put('van-2', Date.now())).offset).toBe(2);
  });

  it('[L-5.1] the application does not start with an invalid history, and the error names the option', async () => {
    @LiveTopic('news', { history: { size: -1 } })
    class News {
      canSubscribe(): boolean {
        return true;
      }
    }
    expect(await startFailure(News)).toBe(
      'LiveModule: "history.size of News" is -1, but must be an integer >= 0.',
    );
  });

  it('[L-3.1] LiveTopic() throws for an invalid pattern', () => {
    expect(() => LiveTopic('fleet/{id}')).toThrow(
      '\'fleet/{id}\' is no topic pattern: "{id}" is no segment.',
    );
  });

  it('[L-3.3] an application without topics starts and forbids every topic', async () => {
    const { url } = await startLiveApp({ platform, providers: [] });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    expect(await client.request({ type: 'subscribe', id: 1, topic: 'open/1' })).toMatchObject(words);
  });
});
