import { createServer } from 'node:net';
import type { Broker, Published, StreamReading } from '../../src/core/ports/broker.js';
import type { OpenedBroker } from '../../src/testing/broker-checks/opened-broker.js';
import type { EngineInstance, MemoryEngine } from './memory-engine.js';

/** A possible mistake in a broker. */
export interface PlantedMistake {
  readonly mistake: string;
  /** The title of the check that must find it. */
  readonly found: string;
  /** Plants it in one instance. */
  readonly plant?: (broker: EngineInstance, engine: MemoryEngine) => void;
  /** Plants it in the engine. */
  readonly plantEngine?: (opened: OpenedBroker, engine: MemoryEngine) => Partial<OpenedBroker>;
}

type Method = 'publish' | 'subscribe' | 'unsubscribe' | 'read' | 'tops' | 'latest' | 'signal' | 'close';

/** Wraps a method. */
function around<M extends Method>(broker: EngineInstance, name: M, make: (original: Broker[M]) => Broker[M]) {
  const original = broker[name].bind(broker) as Broker[M];
  Object.assign(broker, { [name]: make(original) });
}

const later = (ms = 2): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Changes the arguments of a publish. */
const publishing =
  (change: (...args: Parameters<Broker['publish']>) => Parameters<Broker['publish']>) =>
  (broker: EngineInstance) =>
    around(
      broker,
      'publish',
      (publish) =>
        (...args) =>
          publish(...change(...args)),
    );

/** Changes the result of a publish. */
const answering = (change: (published: Published) => Published) => (broker: EngineInstance) =>
  around(
    broker,
    'publish',
    (publish) =>
      async (...args) =>
        change(await publish(...args)),
  );

/** Changes the result of a read. */
const reading =
  (change: (reading: StreamReading, ...args: Parameters<Broker['read']>) => StreamReading) =>
  (broker: EngineInstance) =>
    around(
      broker,
      'read',
      (read) =>
        async (...args) =>
          change(await read(...args), ...args),
    );

/** After `count` removals, the versions of removed keys are forgotten: any later version is new. */
function forgetsVersionsAfter(count: number) {
  return (broker: EngineInstance, { removedKeys }: MemoryEngine): void =>
    around(broker, 'publish', (publish) => async (topic, data, { version, ...options }) => {
      const { key = '', remove } = options;
      const isForgotten = removedKeys.size >= count && removedKeys.has(key);
      if (remove === true) removedKeys.add(key);
      return publish(topic, data, {
        ...options,
        ...(version !== undefined && !isForgotten && { version }),
      });
    });
}

export const plantedMistakes: readonly PlantedMistake[] = [
  {
    mistake: 'offsets of all topics share one counter',
    found: 'gives positions from 1 that rise by one',
    plant: publishing((_topic, data, options) => ['all', data, options]),
  },
  {
    mistake: 'each instance creates its own epochs',
    found: 'gives an untouched topic an epoch when it is read, and keeps it',
    plant: (broker) => {
      const own = Math.random().toString(36);
      reading(({ top, missed }) => ({ top: { ...top, epoch: top.epoch + own }, missed }))(broker);
    },
  },
  {
    mistake: 'an untouched topic gets a new epoch for each read',
    found: 'gives an untouched topic one epoch, however many ask at once',
    plant: reading(({ top, missed }) => ({
      top: top.offset > 0 ? top : { offset: 0, epoch: Math.random().toString(36) },
      missed,
    })),
  },
  {
    mistake: 'the offset is assigned in one step, and the publication stored and delivered in another',
    found: 'publishes in one step',
    plant: (broker, engine) =>
      around(broker, 'publish', () => async (topic, data, options) => {
        const { offset, epoch } = (await engine.store.tops([topic])).get(topic)!;
        await later(Math.random() * 2);
        await engine.store.publish(topic, data, options);
        return { offset: offset + 1, epoch };
      }),
  },
  {
    mistake: 'publications that are not awaited overtake each other',
    found: 'keeps the order of what one publisher publishes without waiting',
    plant: (broker) =>
      around(broker, 'publish', (publish) => async (...args) => {
        if (Number(args[1]) % 2 === 0) await later();
        return publish(...args);
      }),
  },
  {
    mistake: 'tops omits topics that were never published to',
    found: 'tells the ends of many topics at once',
    plant: (broker) =>
      around(broker, 'tops', (tops) => async (topics) => {
        const all = await tops(topics);
        return new Map([...all].filter(([, { offset }]) => offset > 0));
      }),
  },
  {
    mistake: 'data is parsed and serialized again',
    found: 'delivers to every instance what is subscribed',
    plant: publishing((topic, data, options) => [topic, JSON.stringify(JSON.parse(data)), options]),
  },
  {
    mistake: 'the key is lost in delivery',
    found: 'delivers to every instance what is subscribed',
    plant: (broker) => {
      const { carried } = broker;
      broker.carried = (topic, epoch, { offset, data }) =>
        carried.call(broker, topic, epoch, { offset, data });
    },
  },
  {
    mistake: 'subscribe resolves before it is active',
    found: 'has a subscription in force when subscribe has answered',
    plant: (broker) =>
      around(broker, 'subscribe', (subscribe) => async (topic) => {
        void later().then(() => subscribe(topic));
      }),
  },
  {
    mistake: 'publications right after the position was read are dropped',
    found: 'loses nothing between a subscribe and the position that is read after it',
    plant: (broker) =>
      around(broker, 'read', (read) => async (topic, since, limits) => {
        const result = await read(topic, since, limits);
        const { carried } = broker;
        broker.carried = () => {};
        void later().then(() => (broker.carried = carried));
        return result;
      }),
  },
  {
    mistake: 'unsubscribe resolves before it has effect',
    found: 'delivers nothing of a topic that is not subscribed, and nothing after unsubscribe',
    plant: (broker) =>
      around(broker, 'unsubscribe', (unsubscribe) => async (topic) => {
        void later(20).then(() => unsubscribe(topic));
      }),
  },
  {
    mistake: 'an unsubscribe undoes a later subscribe',
    found: 'delivers again after it was unsubscribed and subscribed, however fast',
    plant: (broker) =>
      around(broker, 'unsubscribe', (unsubscribe) => async (topic) => {
        await later();
        return unsubscribe(topic);
      }),
  },
  {
    mistake: 'every subscribe adds a subscription',
    found: 'delivers again after it was unsubscribed and subscribed, however fast',
    plant: (broker) => {
      let count = 0;
      const { carried } = broker;
      around(broker, 'subscribe', (subscribe) => (topic) => ((count += 1), subscribe(topic)));
      broker.carried = (...args) => {
        for (let i = 0; i < count; i++) carried.apply(broker, args);
      };
    },
  },
  {
    mistake: 'unsubscribe rejects for a topic that was never subscribed',
    found: 'unsubscribes what was never subscribed',
    plant: (broker) =>
      around(broker, 'unsubscribe', (unsubscribe) => async (topic) => {
        if (topic === 'never') throw new Error('not subscribed');
        return unsubscribe(topic);
      }),
  },
  {
    mistake: 'signals do not reach their sender',
    found: 'carries a signal to all instances',
    plant: (broker) => {
      let own = '';
      around(broker, 'signal', (signal) => (text) => ((own = text), signal(text)));
      const { start } = broker;
      broker.start = (sink) =>
        start.call(broker, { ...sink, signal: (text) => (text === own ? undefined : sink.signal(text)) });
    },
  },
  {
    mistake: 'recovery starts with the position itself',
    found: 'gives exactly what came after a position',
    plant: (broker) =>
      around(
        broker,
        'read',
        (read) => (topic, since, limits) =>
          read(topic, since && { ...since, offset: Math.max(0, since.offset - 1) }, limits),
      ),
  },
  {
    mistake: 'a read returns no more than a page',
    found: 'recovers 300 publications',
    plant: reading(({ top, missed }) => ({ top, missed: missed?.slice(0, 256) })),
  },
  {
    mistake: 'the epoch is not compared',
    found: 'recovers nothing from a position that never was',
    plant: (broker, engine) =>
      around(broker, 'read', (read) => async (topic, since, limits) => {
        const { epoch } = (await engine.store.tops([topic])).get(topic)!;
        return read(topic, since && { ...since, epoch }, limits);
      }),
  },
  {
    mistake: 'a position beyond the end has missed nothing',
    found: 'recovers nothing from a position that never was',
    plant: reading(({ top, missed }, _topic, since) => ({
      top,
      missed: since && since.epoch === top.epoch && since.offset > top.offset ? [] : missed,
    })),
  },
  {
    mistake: 'the byte limit is ignored',
    found: 'recovers all or nothing: not more than the limits',
    plant: (broker) =>
      around(
        broker,
        'read',
        (read) =>
          (topic, since, { count }) =>
            read(topic, since, { count, bytes: 1e9 }),
      ),
  },
  {
    mistake: 'recovery returns a part, as much as the limits allow',
    found: 'recovers all or nothing: not more than the limits',
    plant: (broker) =>
      around(broker, 'read', (read) => async (topic, since, limits) => {
        const { top, missed } = await read(topic, since, { count: 1e9, bytes: 1e9 });
        return { top, missed: missed?.slice(0, limits.count) };
      }),
  },
  {
    mistake: 'everything is kept even without rules',
    found: 'keeps no history without rules',
    plant: publishing((topic, data, options) => [
      topic,
      data,
      { history: { size: 100, ttlMs: 1e6, maxBytes: 1e6 }, ...options },
    ]),
  },
  {
    mistake: 'a recovery skips publications that were not kept',
    found: 'recovers nothing across a publication that was not kept',
    plant: (broker, engine) =>
      around(broker, 'read', (read) => async (topic, since, limits) => {
        const reading = await read(topic, since, limits);
        if (since === undefined || reading.missed !== undefined) return reading;
        for (let offset = since.offset + 1; offset < reading.top.offset; offset++) {
          const { missed } = await engine.store.read(topic, { ...since, offset }, limits);
          if (missed !== undefined) return { ...reading, missed };
        }
        return reading;
      }),
  },
  ...(['size', 'maxBytes', 'ttlMs'] as const).map((bound): PlantedMistake => {
    const checks = {
      size: 'keeps no more publications',
      maxBytes: 'keeps no more bytes',
      ttlMs: 'keeps nothing longer',
    };
    return {
      mistake: `history has no ${bound}`,
      found: checks[bound],
      plant: publishing((topic, data, { history, ...options }) => [
        topic,
        data,
        { ...options, ...(history && { history: { ...history, [bound]: 1e9 } }) },
      ]),
    };
  }),
  {
    mistake: 'the idempotency key is ignored',
    found: 'stores one of two publications with the same idempotency key',
    plant: publishing((topic, data, { idempotencyKey: _key, ...options }) => [topic, data, options]),
  },
  {
    mistake: "a duplicate is answered with the topic's end",
    found: 'stores one of two publications with the same idempotency key',
    plant: (broker) =>
      around(broker, 'publish', (publish) => async (topic, data, options) => {
        const published = await publish(topic, data, options);
        const { top } = await broker.read(topic, undefined, { count: 0, bytes: 0 });
        return published.suppressed === 'duplicate' ? { ...published, ...top } : published;
      }),
  },
  {
    mistake: 'the idempotency key is looked up, then written',
    found: 'stores one of many publications with the same idempotency key',
    plant: (broker, engine) => {
      const seen = new Map<string, Published>();
      around(broker, 'publish', (publish) => async (topic, data, { idempotencyKey, ...options }) => {
        const name = `${topic} ${idempotencyKey ?? ''}`;
        const first = seen.get(name);
        if (idempotencyKey !== undefined && first !== undefined) return { ...first, suppressed: 'duplicate' };
        await later();
        const published = await publish(topic, data, options);
        for (const other of engine.instances) if (other === broker) seen.set(name, published);
        return published;
      });
    },
  },
  {
    mistake: 'topic and idempotency key are joined by a colon',
    found: 'takes an idempotency key for one topic alone',
    plant: (broker, engine) => {
      const seen = engine as MemoryEngine & { seen?: Map<string, Published> };
      around(broker, 'publish', (publish) => async (topic, data, { idempotencyKey, ...options }) => {
        const map = (seen.seen ??= new Map());
        const name = idempotencyKey === undefined ? Math.random().toString() : `${topic}:${idempotencyKey}`;
        const first = map.get(name);
        if (first !== undefined) return { ...first, suppressed: 'duplicate' };
        const published = await publish(topic, data, options);
        map.set(name, published);
        return published;
      });
    },
  },
  {
    mistake: 'the same version is newer',
    found: 'stores nothing with a version that is not newer than the newest without a key',
    plant: (broker, engine) =>
      around(broker, 'publish', (publish) => async (topic, data, { version, ...options }) => {
        const more = engine.clock.now() / 1_000;
        engine.clock.advance(1);
        return publish(topic, data, {
          ...options,
          ...(version !== undefined && { version: version + more }),
        });
      }),
  },
  {
    mistake: 'the version is compared too early, before earlier publications are stored',
    found: 'lets versions only rise',
    plant: (broker) => {
      let newest = Number.NEGATIVE_INFINITY;
      around(broker, 'publish', (publish) => async (topic, data, { version, ...options }) => {
        if (version !== undefined && version <= newest) {
          return {
            ...(await broker.read(topic, undefined, { count: 0, bytes: 0 })).top,
            suppressed: 'stale',
          };
        }
        newest = version ?? newest;
        await later(Math.random() * 3);
        return publish(topic, data, options);
      });
    },
  },
  {
    mistake: 'a version is compared with the versions of all keys',
    found: 'compares a version with those of its own key alone',
    plant: (broker) => {
      let newest = Number.NEGATIVE_INFINITY;
      around(broker, 'publish', (publish) => async (topic, data, options) => {
        if ((options.version ?? Infinity) <= newest) {
          const { top } = await broker.read(topic, undefined, { count: 0, bytes: 0 });
          return { ...top, suppressed: 'stale' };
        }
        newest = options.version ?? newest;
        return publish(topic, data, options);
      });
    },
  },
  {
    mistake: 'the version of a key is compared too early, before earlier publications are stored',
    found: 'lets versions of each key only rise',
    plant: (broker) => {
      const newest = new Map<string, number>();
      around(broker, 'publish', (publish) => async (topic, data, { version = 0, ...options }) => {
        const { key = '' } = options;
        if (version <= (newest.get(key) ?? 0)) {
          const { top } = await broker.read(topic, undefined, { count: 0, bytes: 0 });
          return { ...top, suppressed: 'stale' };
        }
        newest.set(key, version);
        await later(Math.random() * 3);
        return publish(topic, data, options);
      });
    },
  },
  {
    mistake: 'the version is checked before the idempotency key',
    found: 'calls a publication that is both a duplicate and stale a duplicate',
    plant: answering((published) =>
      published.suppressed ? { ...published, suppressed: 'stale' } : published,
    ),
  },
  {
    mistake: 'a removal is delivered as a publication of null',
    found: 'delivers and recovers a removal as one',
    plant: (broker) => {
      const { carried } = broker;
      broker.carried = (topic, epoch, { removed: _removed, ...publication }) =>
        carried.call(broker, topic, epoch, publication);
    },
  },
  {
    mistake: 'a removed key stays in the snapshot',
    found: 'remembers nothing of a removed key',
    plant: publishing((topic, data, { remove: _remove, ...options }) => [topic, data, options]),
  },
  {
    mistake: 'the publication before a removal counts as the last one',
    found: 'remembers nothing where the last publication of a topic is a removal',
    plant: publishing((topic, data, { latest, ...options }) => [
      topic,
      data,
      options.remove === true ? options : { ...options, ...(latest !== undefined && { latest }) },
    ]),
  },
  {
    mistake: 'a removal forgets the version of its key',
    found: 'keeps the version of a removed key',
    plant: forgetsVersionsAfter(1),
  },
  {
    mistake: 'the versions of many removed keys are not all kept',
    found: 'keeps the versions of many removed keys',
    plant: forgetsVersionsAfter(300),
  },
  {
    mistake: 'the maximum age of keys is ignored',
    found: 'leaves out the keys that were not published for as long as the age',
    plant: (broker) => around(broker, 'latest', (latest) => (topic) => latest(topic)),
  },
  {
    mistake: 'every publication is kept as the latest',
    found: 'remembers nothing before the first publication',
    plant: publishing((topic, data, options) => [topic, data, { latest: 'last', ...options }]),
  },
  {
    mistake: 'the first publication is kept instead of the last',
    found: 'remembers the last publication, with the end of the stream',
    plant: (broker) => {
      let count = 0;
      publishing((topic, data, { latest, ...options }) => [
        topic,
        data,
        { ...options, ...(latest !== undefined && count++ === 0 && { latest }) },
      ])(broker);
    },
  },
  {
    mistake: 'only one publication is kept for all keys',
    found: 'remembers the last publication of each key, and none without',
    plant: publishing((topic, data, options) => [
      topic,
      data,
      { ...options, ...(options.latest && { latest: 'last' }) },
    ]),
  },
  {
    mistake: 'only the keys of the last thousand publications are kept',
    found: 'remembers the last publication of each of many keys',
    plant: (broker) =>
      around(broker, 'latest', (latest) => async (topic) => {
        const { top, publications } = await latest(topic);
        return { top, publications: publications.filter(({ offset }) => offset > top.offset - 1_000) };
      }),
  },
  {
    mistake: 'the end of the stream is read after the latest publications',
    found: 'reads what it remembers and the end of the stream at one moment',
    plant: (broker) =>
      around(broker, 'latest', (latest) => async (topic) => {
        const { publications } = await latest(topic);
        await later();
        return { top: (await latest(topic)).top, publications };
      }),
  },
  {
    mistake: 'a slash becomes a dot on the way to the engine',
    found: 'carries every topic name by itself',
    plant: (broker) => {
      const { carried } = broker;
      broker.carried = (topic, ...rest) => carried.call(broker, topic.replaceAll('.', '/'), ...rest);
      publishing((topic, data, options) => [topic.replaceAll('/', '.'), data, options])(broker);
    },
  },
  {
    mistake: 'a star in a subscribed name matches every name',
    found: 'carries every topic name by itself',
    plant: (broker) => {
      let star = false;
      around(broker, 'subscribe', (subscribe) => (topic) => ((star ||= topic === '*'), subscribe(topic)));
      const { carried } = broker;
      broker.carried = (topic, epoch, publication) => {
        carried.call(broker, topic, epoch, publication);
        if (star) carried.call(broker, '*', epoch, publication);
      };
    },
  },
  {
    mistake: 'topic names are case-insensitive',
    found: 'carries every topic name by itself',
    plant: publishing((topic, data, options) => [topic === 'A' ? 'a' : topic, data, options]),
  },
  {
    mistake: 'a lost stream continues under its old epoch',
    found: 'starts a new epoch where a stream was lost',
    plant: (broker) => {
      const epoch = 'for ever';
      answering((published) => ({ ...published, epoch }))(broker);
      reading(({ top, missed }) => ({ top: { ...top, epoch }, missed }))(broker);
      const { carried } = broker;
      broker.carried = (topic, _epoch, publication) => carried.call(broker, topic, epoch, publication);
    },
  },
  {
    mistake: 'a publisher remembers the position of a lost stream',
    found: 'has lost its streams for every instance',
    plant: (broker) => {
      let last: Published | undefined;
      answering((published) => (last = last ? { ...last, offset: last.offset + 1 } : published))(broker);
    },
  },
  {
    mistake: 'the broker never reports that it is away',
    found: 'says that it is away within 5 seconds',
    plant: (broker) => Object.defineProperty(broker, 'available', { value: true }),
  },
  {
    mistake: 'calls wait for an engine that is away',
    found: 'says that it is away within 5 seconds',
    plant: (broker, engine) =>
      around(broker, 'publish', (publish) => async (...args) => {
        while (engine.away) await later(50);
        return publish(...args);
      }),
  },
  {
    mistake: 'a possible loss is not reported',
    found: 'says that it is away within 5 seconds',
    plant: (broker) => {
      const { start } = broker;
      broker.start = (sink) => start.call(broker, { ...sink, suspect() {} });
    },
  },
  {
    mistake: 'subscriptions are not restored with the engine',
    found: 'says that it is away within 5 seconds',
    plantEngine: (opened, engine) => ({
      restart: async (whileStopped) => {
        await opened.restart?.(whileStopped);
        for (const instance of engine.instances) await instance.unsubscribe('t');
      },
    }),
  },
  {
    mistake: 'the engine returns without its store',
    found: 'says that it is away within 5 seconds',
    plantEngine: (opened) => ({
      restart: async (whileStopped) => {
        await opened.restart?.(whileStopped);
        await opened.loseStreams?.();
      },
    }),
  },
  {
    mistake: 'junk is delivered',
    found: 'counts what is no publication',
    plant: (broker) => {
      broker.received = (topic, data) => {
        broker.junkTotal += 1;
        broker.sink.publication(topic, 'e', { offset: 2, data });
      };
    },
  },
  {
    mistake: 'junk is thrown',
    found: 'counts what is no publication',
    plant: (broker) => {
      broker.received = (_topic, text) => JSON.parse(text) as never;
    },
  },
  {
    mistake: 'junk is not counted',
    found: 'counts what is no publication',
    plant: (broker) => {
      broker.received = () => {};
    },
  },
  {
    mistake: 'the broker can be used after it is closed',
    found: 'rejects every call after it is closed',
    plant: (broker) => around(broker, 'close', () => async () => {}),
  },
  {
    mistake: 'close waits forever while calls are in flight',
    found: 'can be closed at once',
    plant: (broker) => {
      let pending = 0;
      around(
        broker,
        'publish',
        (publish) =>
          async (...args) => ((pending += 1), publish(...args)),
      );
      around(broker, 'close', (close) => () => (pending > 2 ? new Promise(() => {}) : close()));
    },
  },
  {
    mistake: 'the broker delivers after it is closed',
    found: 'delivers nothing after it is closed',
    plant: (broker, engine) =>
      around(broker, 'close', () => async () => {
        // Only so that the check itself can end.
        if (engine.away) engine.instances.delete(broker);
      }),
  },
  {
    mistake: 'a socket stays open after close',
    found: 'gives its sockets back when it is closed',
    plant: (broker) => {
      const { start } = broker;
      broker.start = (sink) => {
        start.call(broker, sink);
        leakSocket();
      };
    },
  },
];

const leaked: { close(): void }[] = [];

function leakSocket(): void {
  const server = createServer();
  server.listen(0);
  leaked.push(server);
}

/** Closes the sockets that the mistakes left open. */
export function closeLeaked(): void {
  for (const server of leaked.splice(0)) server.close();
}
