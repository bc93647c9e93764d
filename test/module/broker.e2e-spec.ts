import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import type { BrokerSink } from '../../src/brokers/index.js';
import { type LiveModuleOptions, LiveModule, LiveService, MemoryBroker } from '../../src/index.js';
import { TestClock } from '../../src/testing/index.js';
import { OpenTopics, startLiveApp } from '../support/live-app.js';
import { createHost, failureOf } from './support/host-app.js';
import { LogRecorder } from './support/log-recorder.js';

const options = { port: 0, dangerouslyPublic: true } as const;

const published = (broker: MemoryBroker) => broker.read('open/1', undefined, { count: 0, bytes: 0 });

describe('the option "broker"', () => {
  it.each<[string, (broker: MemoryBroker) => ReturnType<typeof LiveModule.forRoot>]>([
    ['a broker', (broker) => LiveModule.forRoot({ ...options, broker })],
    ['a function', (broker) => LiveModule.forRoot({ ...options, broker: () => broker })],
    ['forRootAsync', (broker) => LiveModule.forRootAsync({ useFactory: () => ({ ...options, broker }) })],
  ])(
    '[S18] the module publishes through the broker and closes it with the application, given by %s',
    async (_how, moduleOf) => {
      const broker = new MemoryBroker({}, new TestClock());
      const app = await createHost('express', { imports: [moduleOf(broker)], providers: [OpenTopics] });
      await app.init();
      const position = await app.get(LiveService).publish('open/1', { speed: 7 });
      expect((await published(broker)).top).toEqual(position);
      await app.close();
      await expect(published(broker)).rejects.toThrow('closed');
    },
  );

  it('[S18] publishMany gives each publication its own outcome, in the order of the publications', async () => {
    const broker = new MemoryBroker({ maxBytes: 1_000 });
    const { app } = await startLiveApp({ options: { broker } });
    const live = app.get(LiveService);
    const outcomes = await live.publishMany([
      { topic: 'open/1', data: 1 },
      { topic: 'nobody/declared', data: 2 },
      { topic: 'open/1', data: 3, key: 'k' },
      { topic: 'open/1', data: undefined },
      { topic: 'open/1', data: undefined, key: 'k', remove: true },
    ]);
    const epoch = expect.any(String) as string;
    const refused = { status: 'rejected', reason: { name: 'LiveError', code: 'validation-failed' } };
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: { epoch, offset: 1 } },
      refused,
      { status: 'fulfilled', value: { epoch, offset: 2 } },
      refused,
      { status: 'fulfilled', value: { epoch, offset: 3 } },
    ]);
  });

  it.each(['maxStreams', 'maxBytes', 'maxIdempotencyKeys', 'sweepMs'])(
    'MemoryBroker refuses a %s that is no whole number from 1',
    (name) => {
      for (const value of [0, 1.5, -1, NaN, '1'])
        expect(() => new MemoryBroker({ [name]: value })).toThrow(`MemoryBroker: "${name}" must be a whole`);
    },
  );

  it('[L-5.11] the application starts without an absent broker after 2 s, and logs it', async () => {
    const broker = Object.create(new MemoryBroker({}, new TestClock()), {
      available: { value: false },
    }) as MemoryBroker;
    const log = new LogRecorder();
    const startedMs = performance.now();
    await startLiveApp({ options: { broker }, before: log.use });
    expect(performance.now() - startedMs).toBeGreaterThan(1_900);
    expect(log.live('warn')).toContainEqual({ msg: 'broker away', since: 'the start' });
  });

  it('[L-5.11] the application waits for a broker that needs a moment to connect', async () => {
    const inner = new MemoryBroker({}, new TestClock());
    let available = false;
    const broker = Object.create(inner, {
      available: { get: () => available },
      start: {
        value: (sink: BrokerSink) => {
          inner.start(sink);
          setTimeout(() => {
            available = true;
            sink.availability(true);
          }, 300);
        },
      },
    }) as MemoryBroker;
    @Injectable()
    class PublishesAtOnce implements OnApplicationBootstrap {
      constructor(private readonly live: LiveService) {}

      async onApplicationBootstrap(): Promise<void> {
        await this.live.publish('open/1', 'the first');
      }
    }
    const log = new LogRecorder();
    const { live } = await startLiveApp({
      options: { broker },
      providers: [OpenTopics, PublishesAtOnce],
      before: log.use,
    });
    expect(live.stats()).toMatchObject({ brokerAvailable: true, publicationsTotal: 1 });
    expect(log.live('warn')).not.toContainEqual(expect.objectContaining({ msg: 'broker away' }));
  });

  it('the application does not start with an invalid broker, and the error does not quote it', async () => {
    const url = { url: 'redis://ann:canary@127.0.0.1' } as unknown as NonNullable<
      LiveModuleOptions['broker']
    >;
    const failure = await failureOf(
      createHost('express', { imports: [LiveModule.forRoot({ ...options, broker: url })] }),
    );
    expect(failure).toContain('"broker" is no broker');
    expect(failure).not.toContain('canary');
  });
});
