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
    found: 'positions of each topic start at 1 and rise by one, in one epoch',
    plant: publishing((_topic, data, options) => ['all', data, options]),
  },
  {
    mistake: 'each instance creates its own epochs',
    found: 'a topic without publications gets an epoch when it is read, and keeps it',
    plant: (broker) => {
      const own = Math.random().toString(36);
      reading(({ top, missed }) => ({ top: { ...top, epoch: top.epoch + own }, missed }))(broker);
    },
  },
  {
    mistake: 'an untouched topic gets a new epoch for each read',
    found: 'concurrent reads of a topic without publications return one epoch',
    plant: reading(({ top, missed }) => ({
      top: top.offset > 0 ? top : { offset: 0, epoch: Math.random().toString(36) },
      missed,
    })),
  },
  {
    mistake: 'the offset is assigned in one step, and the publication stored and delivered in another',
    found: 'concurrent publications get distinct positions, and history and deliveries agree on them',
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
    found: 'publications that one publisher sends without waiting keep their order',
    plant: (broker) =>
      around(broker, 'publish', (publish) => async (...args) => {
        if (Number(args[1]) % 2 === 0) await later();
        return publish(...args);
      }),
  },
  {
    mistake: 'tops omits topics that were never published to',
    found: 'the ends of many topics can be read at once, including topics without publications',
    plant: (broker) =>
      around(broker, 'tops', (tops) => async (topics) => {
        const all = await tops(topics);
        return new Map([...all].filter(([, { offset }]) => offset > 0));
      }),
  },
  {
    mistake: 'data is parsed and serialized again',
    found: 'every instance receives the publications of its subscribed topics, in order and unchanged',
    plant: publishing((topic, data, options) => [topic, JSON.stringify(JSON.parse(data)), options]),
  },
  {
    mistake: 'the key is lost in delivery',
    found: 'every instance receives the publications of its subscribed topics, in order and unchanged',
    plant: (broker) => {
      const { carried } = broker;
      broker.carried = (topic, epoch, { offset, data }) =>
        carried.call(broker, topic, epoch, { offset, data });
    },
  },
  {
    mistake: 'subscribe resolves before it is active',
    found: 'a subscription is in force once subscribe has resolved',
    plant: (broker) =>
      around(broker, 'subscribe', (subscribe) => async (topic) => {
        void later().then(() => subscribe(topic));
      }),
  },
  {
    mistake: 'publications right after the position was read are dropped',
    found: 'no publication is lost between a subscribe and the position read after it',
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
    found: 'nothing is delivered for a topic that is not subscribed, or after unsubscribe',
    plant: (broker) =>
      around(broker, 'unsubscribe', (unsubscribe) => async (topic) => {
        void later(20).then(() => unsubscribe(topic));
      }),
  },
  {
    mistake: 'an unsubscribe undoes a later subscribe',
    found: 'a fast unsubscribe and resubscribe delivers each later publication once',
    plant: (broker) =>
      around(broker, 'unsubscribe', (unsubscribe) => async (topic) => {
        await later();
        return unsubscribe(topic);
      }),
  },
  {
    mistake: 'every subscribe adds a subscription',
    found: 'a fast unsubscribe and resubscribe delivers each later publication once',
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
    found: 'unsubscribing a topic that was never subscribed is no error',
    plant: (broker) =>
      around(broker, 'unsubscribe', (unsubscribe) => async (topic) => {
        if (topic === 'never') throw new Error('not subscribed');
        return unsubscribe(topic);
      }),
  },
  {
    mistake: 'signals do not reach their sender',
    found: 'a signal reaches all instances unchanged, including the sender',
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
    found: 'every instance recovers exactly the publications after a position',
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
    found: '300 publications are recovered with their keys',
    plant: reading(({ top, missed }) => ({ top, missed: missed?.slice(0, 256) })),
  },
  {
    mistake: 'the epoch is not compared',
    found: 'a position that never existed is unrecoverable: another epoch, or past the end',
    plant: (broker, engine) =>
      around(broker, 'read', (read) => async (topic, since, limits) => {
        const { epoch } = (await engine.store.tops([topic])).get(topic)!;
        return read(topic, since && { ...since, epoch }, limits);
      }),
  },
  {
    mistake: 'a position beyond the end has missed nothing',
    found: 'a position that never existed is unrecoverable: another epoch, or past the end',
    plant: reading(({ top, missed }, _topic, since) => ({
      top,
      missed: since && since.epoch === top.epoch && since.offset > top.offset ? [] : missed,
    })),
  },
  {
    mistake: 'the byte limit is ignored',
    found: 'recovery is all or nothing within the limits of count and bytes',
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
    found: 'recovery is all or nothing within the limits of count and bytes',
    plant: (broker) =>
      around(broker, 'read', (read) => async (topic, since, limits) => {
        const { top, missed } = await read(topic, since, { count: 1e9, bytes: 1e9 });
        return { top, missed: missed?.slice(0, limits.count) };
      }),
  },
  {
    mistake: 'everything is kept even without rules',
    found: 'without rules there is no history, and only an up-to-date position is recoverable',
    plant: publishing((topic, data, options) => [
      topic,
      data,
      { history: { size: 100, ttlMs: 1e6, maxBytes: 1e6 }, ...options },
    ]),
  },
  {
    mistake: 'a recovery skips publications that were not kept',
    found: 'a publication that was not kept makes earlier positions unrecoverable',
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
      size: 'the history keeps no more publications',
      maxBytes: 'the history keeps no more bytes',
      ttlMs: 'history expires after its TTL',
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
    found: 'a repeated idempotency key stores one publication and returns the position of the first',
    plant: publishing((topic, data, { idempotencyKey: _key, ...options }) => [topic, data, options]),
  },
  {
    mistake: "a duplicate is answered with the topic's end",
    found: 'a repeated idempotency key stores one publication and returns the position of the first',
    plant: (broker) =>
      around(broker, 'publish', (publish) => async (topic, data, options) => {
        const published = await publish(topic, data, options);
        const { top } = await broker.read(topic, undefined, { count: 0, bytes: 0 });
        return published.suppressed === 'duplicate' ? { ...published, ...top } : published;
      }),
  },
  {
    mistake: 'the idempotency key is looked up, then written',
    found: 'concurrent publications with the same idempotency key store one',
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
    found: 'an idempotency key applies to its own topic only, whatever it contains',
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
    found: 'a stale version without a key stores nothing and returns the end of the topic',
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
    found: 'versions only rise among concurrent publications',
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
    found: 'a version is compared only with versions of its own key',
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
    found: 'versions of each key only rise among concurrent publications',
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
    found: 'a publication that is both a duplicate and stale counts as a duplicate',
    plant: answering((published) =>
      published.suppressed ? { ...published, suppressed: 'stale' } : published,
    ),
  },
  {
    mistake: 'a removal is delivered as a publication of null',
    found: 'a removal is delivered and recovered as a removal, in its place',
    plant: (broker) => {
      const { carried } = broker;
      broker.carried = (topic, epoch, { removed: _removed, ...publication }) =>
        carried.call(broker, topic, epoch, publication);
    },
  },
  {
    mistake: 'a removed key stays in the snapshot',
    found: 'a removed key has no latest value until it is published again',
    plant: publishing((topic, data, { remove: _remove, ...options }) => [topic, data, options]),
  },
  {
    mistake: 'the publication before a removal counts as the last one',
    found: 'a topic whose last publication is a removal has no latest value',
    plant: publishing((topic, data, { latest, ...options }) => [
      topic,
      data,
      options.remove === true ? options : { ...options, ...(latest !== undefined && { latest }) },
    ]),
  },
  {
    mistake: 'a removal forgets the version of its key',
    found: 'a removed key keeps its version, so an older publication does not bring it back',
    plant: forgetsVersionsAfter(1),
  },
  {
    mistake: 'the versions of many removed keys are not all kept',
    found: 'many removed keys keep their versions, however much is published after them',
    plant: forgetsVersionsAfter(300),
  },
  {
    mistake: 'the maximum age of keys is ignored',
    found: 'keys older than the requested age are left out of the latest values',
    plant: (broker) => around(broker, 'latest', (latest) => (topic) => latest(topic)),
  },
  {
    mistake: 'the ages of the latest values are in another order',
    found:
      'the latest values are in the order of their publications, with the age of each if an age is requested',
    plant: (broker) =>
      around(broker, 'latest', (latest) => async (topic, maxKeyAgeMs) => {
        const { agesMs, ...reading } = await latest(topic, maxKeyAgeMs);
        return { ...reading, ...(agesMs && { agesMs: agesMs.toReversed() }) };
      }),
  },
  {
    mistake: 'every publication is kept as the latest',
    found: 'there are no latest values before the first publication, or for publications without a rule',
    plant: publishing((topic, data, options) => [topic, data, { latest: 'last', ...options }]),
  },
  {
    mistake: 'the first publication is kept instead of the last',
    found: 'the latest value is the last publication, read with the end of the stream',
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
    found: 'the latest values are the last publication of each key, and none without a key',
    plant: publishing((topic, data, options) => [
      topic,
      data,
      { ...options, ...(options.latest && { latest: 'last' }) },
    ]),
  },
  {
    mistake: 'only the keys of the last thousand publications are kept',
    found: 'the latest values include every one of many keys, however long ago it was published',
    plant: (broker) =>
      around(broker, 'latest', (latest) => async (topic) => {
        const { top, publications } = await latest(topic);
        return { top, publications: publications.filter(({ offset }) => offset > top.offset - 1_000) };
      }),
  },
  {
    mistake: 'the end of the stream is read after the latest publications',
    found: 'the latest values and the end of the stream are read at the same moment',
    plant: (broker) =>
      around(broker, 'latest', (latest) => async (topic) => {
        const { publications } = await latest(topic);
        await later();
        return { top: (await latest(topic)).top, publications };
      }),
  },
  {
    mistake: 'a slash becomes a dot on the way to the engine',
    found: 'every topic name works, and none is taken for another name, a pattern or a command',
    plant: (broker) => {
      const { carried } = broker;
      broker.carried = (topic, ...rest) => carried.call(broker, topic.replaceAll('.', '/'), ...rest);
      publishing((topic, data, options) => [topic.replaceAll('/', '.'), data, options])(broker);
    },
  },
  {
    mistake: 'a star in a subscribed name matches every name',
    found: 'every topic name works, and none is taken for another name, a pattern or a command',
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
    mistake: 'the broker rejects the names of personal topics',
    found: 'every topic name works, and none is taken for another name, a pattern or a command',
    plant: publishing((topic, data, options) => {
      if (topic.startsWith('$user/')) throw new Error('This is not a topic name');
      return [topic, data, options];
    }),
  },
  {
    mistake: 'topic names are case-insensitive',
    found: 'every topic name works, and none is taken for another name, a pattern or a command',
    plant: publishing((topic, data, options) => [topic === 'A' ? 'a' : topic, data, options]),
  },
  {
    mistake: 'a lost stream continues under its old epoch',
    found: 'a lost stream starts a new epoch, and no position is used twice',
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
    found: 'a lost stream is lost for every instance, whichever used it last',
    plant: (broker) => {
      let last: Published | undefined;
      answering((published) => (last = last ? { ...last, offset: last.offset + 1 } : published))(broker);
    },
  },
  {
    mistake: 'the broker never reports that it is away',
    found:
      'a stopped engine is reported within 5 seconds, calls reject, and the broker recovers with all stored data',
    plant: (broker) => Object.defineProperty(broker, 'available', { value: true }),
  },
  {
    mistake: 'calls wait for an engine that is away',
    found:
      'a stopped engine is reported within 5 seconds, calls reject, and the broker recovers with all stored data',
    plant: (broker, engine) =>
      around(broker, 'publish', (publish) => async (...args) => {
        while (engine.away) await later(50);
        return publish(...args);
      }),
  },
  {
    mistake: 'a possible loss is not reported',
    found:
      'a stopped engine is reported within 5 seconds, calls reject, and the broker recovers with all stored data',
    plant: (broker) => {
      const { start } = broker;
      broker.start = (sink) => start.call(broker, { ...sink, suspect() {} });
    },
  },
  {
    mistake: 'subscriptions are not restored with the engine',
    found:
      'a stopped engine is reported within 5 seconds, calls reject, and the broker recovers with all stored data',
    plantEngine: (opened, engine) => ({
      restart: async (whileStopped) => {
        await opened.restart?.(whileStopped);
        for (const instance of engine.instances) await instance.unsubscribe('t');
      },
    }),
  },
  {
    mistake: 'the engine returns without its store',
    found:
      'a stopped engine is reported within 5 seconds, calls reject, and the broker recovers with all stored data',
    plantEngine: (opened) => ({
      restart: async (whileStopped) => {
        await opened.restart?.(whileStopped);
        await opened.loseStreams?.();
      },
    }),
  },
  {
    mistake: 'junk is delivered',
    found: 'junk messages are counted and not delivered, and the broker goes on',
    plant: (broker) => {
      broker.received = (topic, data) => {
        broker.junkTotal += 1;
        broker.sink.publication(topic, 'e', { offset: 2, data });
      };
    },
  },
  {
    mistake: 'junk is thrown',
    found: 'junk messages are counted and not delivered, and the broker goes on',
    plant: (broker) => {
      broker.received = (_topic, text) => JSON.parse(text) as never;
    },
  },
  {
    mistake: 'junk is not counted',
    found: 'junk messages are counted and not delivered, and the broker goes on',
    plant: (broker) => {
      broker.received = () => {};
    },
  },
  {
    mistake: 'the broker can be used after it is closed',
    found: 'a closed broker rejects every call and may be closed again',
    plant: (broker) => around(broker, 'close', () => async () => {}),
  },
  {
    mistake: 'close waits forever while calls are in flight',
    found: 'a broker can be closed right after its start and while calls are in flight',
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
    found: 'a closed instance receives nothing more, while the others go on',
    plant: (broker, engine) =>
      around(broker, 'close', () => async () => {
        // Only so that the check itself can end.
        if (engine.away) engine.instances.delete(broker);
      }),
  },
  {
    mistake: 'a socket stays open after close',
    found: 'closing a broker closes its sockets',
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
