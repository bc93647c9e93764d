import type { LiveClient, LiveClientOptions } from '../../src/client/index.js';

/** What a scenario may do to the server while it runs. */
export interface ServerControls {
  publish(topic: string, data: unknown, key?: string): Promise<unknown>;
  /** Resets the TCP connection of every client of this user. */
  cut(user: string): Promise<void>;
  /** Closes the connections with FIN and without a close frame. */
  end(user: string): Promise<void>;
  close(user: string, code: number): Promise<void>;
  /** Makes the broker lose the next `count` deliveries of the topic to the server. */
  miss(topic: string, count: number): Promise<void>;
  /** Makes the broker lose the topic's stream. */
  loseStream(topic: string): Promise<void>;
  /** Makes the broker go away or come back. */
  broker(there: boolean): Promise<void>;
  /** The current connections and subscriptions of this user. */
  count(user: string): Promise<{ connections: number; subscriptions: number }>;
}

export interface Scenario {
  readonly title: string;
  readonly expected: unknown;
  /**
   * Runs in Node and, as text, in a browser: it may use only its parameters and what both have.
   * `connect` is the client's own. `user` is a valid credential that no other scenario uses.
   */
  run(connect: Connect, user: string, server: ServerControls): Promise<unknown>;
}

export type Connect = (options?: LiveClientOptions) => LiveClient;

const event = (offset: number, data: unknown) => ({ type: 'event', offset, data });

export const scenarios: readonly Scenario[] = [
  {
    title: '[L-2.13] a request is answered by a handler of the application',
    expected: {
      answers: [{ seat: 7 }, { type: 'trip.full', seats: 0 }],
      errors: ['validation-failed', 'not-implemented', 'unknown-outcome'],
    },
    async run(connect) {
      const live = connect();
      const answers = [
        await live.request('trip.book', { seat: 7 }),
        await live.request('trip.book', { seat: 0 }),
      ].map((answer) => {
        const { id: _id, ...fields } = answer as Record<string, unknown>;
        return fields;
      });
      const failures = await Promise.allSettled([
        live.request('trip.book'),
        live.request('trip.unheard'),
        live.request('trip.ignored', null, { timeoutMs: 500 }),
      ]);
      live.close();
      const errors = failures.map((each) => (each.status === 'rejected' ? each.reason.code : each.value));
      return { answers, errors };
    },
  },
  {
    title: 'a client receives a topic in order, with its snapshot first',
    expected: [{ type: 'start', snapshot: 'state' }, event(1, 'a'), event(2, { b: [2] })],
    async run(connect, user, server) {
      const live = connect();
      const seen: unknown[] = [];
      await new Promise<void>((done) => {
        live.subscribe(`history/${user}`, (message) => {
          if (message.type === 'start') {
            seen.push({ type: message.type, snapshot: message.snapshot });
            void server
              .publish(`history/${user}`, 'a')
              .then(() => server.publish(`history/${user}`, { b: [2] }));
          } else if (message.type === 'event') {
            seen.push({ type: message.type, offset: message.position.offset, data: message.data });
            if (message.position.offset === 2) done();
          }
        });
      });
      live.close();
      return seen;
    },
  },
  {
    title: 'a client misses no publication made while its connection was cut',
    expected: {
      seen: ['start', 1, 2, 3, 4, 5, 6, 'end'],
      states: ['open', 'waiting', 'connecting', 'open', 'closed'],
    },
    async run(connect, user, server) {
      const live = connect({ backoff: { minMs: 20, maxMs: 50 } });
      const states: string[] = [];
      live.on('status', ({ state }) => {
        if (states.at(-1) !== state) states.push(state);
      });
      const seen: unknown[] = [];
      let started = (): void => {};
      let ended = (): void => {};
      const start = new Promise<void>((resolve) => (started = resolve));
      const end = new Promise<void>((resolve) => (ended = resolve));
      live.subscribe(`history/${user}`, (message) => {
        seen.push(message.type === 'event' ? message.position.offset : message.type);
        if (message.type === 'start') started();
        if (message.type === 'event' && message.position.offset === 6) ended();
      });
      await start;
      for (const data of [1, 2]) await server.publish(`history/${user}`, data);
      await server.cut(user);
      for (const data of [3, 4, 5, 6]) await server.publish(`history/${user}`, data);
      await end;
      live.close();
      return { seen, states };
    },
  },
  {
    title: 'a client gets lost with the missed range and a snapshot to continue from',
    expected: { type: 'lost', reason: 'unrecovered', from: 2, to: 9, count: 8, snapshot: 'state' },
    async run(connect, user, server) {
      const live = connect({ backoff: { minMs: 300, maxMs: 301 } });
      const topic = `short/${user}`;
      const lost = await new Promise((done) => {
        live.subscribe(topic, async (message) => {
          if (message.type === 'start') await server.publish(topic, 1);
          if (message.type === 'event') {
            await server.cut(user);
            for (let data = 2; data < 10; data++) await server.publish(topic, data);
          }
          if (message.type === 'lost') {
            const { type, reason, from, to, count, snapshot } = message;
            done({ type, reason, from, to, count, snapshot });
          }
        });
      });
      live.close();
      return lost;
    },
  },
  {
    title: 'two iterated subscriptions share one on the server, and a client can publish to it',
    expected: { positions: [1, 2, 3], read: [1, 2, 3], again: [1, 2, 3], subscriptions: 1, left: 0 },
    async run(connect, user, server) {
      const live = connect();
      const topic = `history/${user}`;
      const [one, two] = [live.subscribe(topic), live.subscribe(topic)];
      const read = async (subscription: typeof one): Promise<number[]> => {
        const offsets: number[] = [];
        for await (const message of subscription) {
          if (message.type === 'event') offsets.push(message.position.offset);
          if (offsets.length === 3) break;
        }
        return offsets;
      };
      const reads = Promise.all([read(one), read(two)]);
      const started = new Promise<void>((done) => {
        live.subscribe(topic, ({ type }) => {
          if (type === 'start') done();
        });
      });
      await started;
      const { subscriptions } = await server.count(user);
      const positions: number[] = [];
      for (const data of ['a', 'b', 'c']) positions.push((await live.publish(topic, data)).offset);
      const [first, again] = await reads;
      live.close();
      let left = -1;
      for (let i = 0; i < 200 && left !== 0; i++) ({ connections: left } = await server.count(user));
      return { positions, read: first, again, subscriptions, left };
    },
  },
  {
    title: 'a client fetches a new credential after 4501, and stays closed after 4503',
    expected: { asked: 2, state: 'closed' },
    async run(connect, user, server) {
      let asked = 0;
      const live = connect({
        backoff: { minMs: 20, maxMs: 50 },
        credential: () => {
          asked += 1;
          return user;
        },
      });
      const opened = (): Promise<void> =>
        new Promise((done) => {
          if (live.state === 'open') done();
          live.on('status', ({ state }) => {
            if (state === 'open') done();
          });
        });
      await opened();
      await server.close(user, 4501);
      await new Promise<void>((done) => {
        live.on('status', ({ state }) => {
          if (state === 'waiting' || state === 'connecting') done();
        });
      });
      await opened();
      const closed = new Promise<void>((done) => {
        live.on('status', ({ state }) => {
          if (state === 'closed') done();
        });
      });
      await server.close(user, 4503);
      await closed;
      return { asked, state: live.state };
    },
  },
  {
    title: 'publications that the broker lost in delivery but still stores reach a client without a loss',
    expected: ['start', 1, 2, 3, 4, 5],
    async run(connect, user, server) {
      const live = connect();
      const topic = `history/${user}`;
      const seen: unknown[] = [];
      await new Promise<void>((done) => {
        live.subscribe(topic, async (message) => {
          if (message.type === 'end') return;
          seen.push(message.type === 'event' ? message.position.offset : message.type);
          if (seen.length === 6) done();
          if (message.type !== 'start') return;
          await server.publish(topic, 1);
          await server.miss(topic, 3);
          for (const data of [2, 3, 4, 5]) await server.publish(topic, data);
        });
      });
      live.close();
      return seen;
    },
  },
  {
    title: 'a client gets lost once for what the broker lost for good, with a snapshot, and continues',
    expected: {
      bare: ['start', 1, { reason: 'dropped', from: 2, to: 5 }, 6, 7],
      short: ['start', 1, { reason: 'dropped', from: 2, to: 6, snapshot: 'state' }, 7],
      subscribes: 2,
    },
    async run(connect, user, server) {
      const live = connect();
      const watch = (topic: string): { seen: unknown[]; done: Promise<void> } => {
        const seen: unknown[] = [];
        const done = new Promise<void>((end) => {
          live.subscribe(topic, async (message) => {
            if (message.type === 'end') return;
            if (message.type === 'lost') {
              const { reason, from, to, snapshot } = message;
              seen.push({ reason, from, to, ...(snapshot !== undefined && { snapshot }) });
              await server.publish(topic, 7);
            } else {
              seen.push(message.type === 'event' ? message.position.offset : message.type);
            }
            if (message.type === 'event' && message.position.offset === 7) end();
            if (message.type !== 'start') return;
            await server.publish(topic, 1);
            await server.miss(topic, 4);
            for (const data of [2, 3, 4, 5, 6]) await server.publish(topic, data);
          });
        });
        return { seen, done };
      };
      const [bare, short] = [watch(`bare/${user}`), watch(`short/${user}`)];
      await Promise.all([bare.done, short.done]);
      const { subscriptions } = await server.count(user);
      live.close();
      return { bare: bare.seen, short: short.seen, subscribes: subscriptions };
    },
  },
  {
    title: 'a client starts over when the broker has lost the stream',
    expected: ['start', 1, { reason: 'new-epoch', snapshot: 'state' }, 'another epoch', 2],
    async run(connect, user, server) {
      const live = connect();
      const topic = `history/${user}`;
      const seen: unknown[] = [];
      let epoch: string | undefined;
      await new Promise<void>((done) => {
        live.subscribe(topic, async (message) => {
          if (message.type === 'end') return;
          if (message.type === 'lost') {
            seen.push({ reason: message.reason, snapshot: message.snapshot });
            seen.push(message.position.epoch === epoch ? 'the same epoch' : 'another epoch');
            await server.publish(topic, 'second of the new one');
          } else {
            seen.push(message.type === 'event' ? message.position.offset : message.type);
          }
          epoch = message.position.epoch;
          if (seen.length === 5) done();
          if (message.type === 'start') await server.publish(topic, 'of the old one');
          if (message.type === 'event' && seen.length === 2) {
            await server.loseStream(topic);
            await server.publish(topic, 'first of the new one');
          }
        });
      });
      live.close();
      return seen;
    },
  },
  {
    title: 'a client stays connected while the broker is away, and subscribes once it is back',
    // It may have been published, for all the client knows.
    expected: { states: ['open'], seen: ['start', 1], refused: 'unknown-outcome' },
    async run(connect, user, server) {
      const live = connect({ backoff: { minMs: 20, maxMs: 50 } });
      await new Promise<void>((done) => {
        live.on('status', ({ state }) => {
          if (state === 'open') done();
        });
      });
      const states: string[] = [live.state];
      live.on('status', ({ state }) => {
        if (states.at(-1) !== state) states.push(state);
      });
      await server.broker(false);
      let refused: unknown;
      await live
        .publish(`history/${user}`, 0, { ttlMs: 200 })
        .catch((error: { code?: unknown }) => (refused = error.code));
      const seen: unknown[] = [];
      const done = new Promise<void>((end) => {
        live.subscribe(`history/${user}`, async (message) => {
          if (message.type === 'end') return;
          seen.push(message.type === 'event' ? message.position.offset : message.type);
          if (message.type === 'start') await server.publish(`history/${user}`, 1);
          else end();
        });
      });
      // The subscribe is refused at least once in this time.
      await new Promise<void>((wait) => {
        setTimeout(wait, 100);
      });
      const before = [...seen];
      await server.broker(true);
      await done;
      const soFar = [...states];
      live.close();
      return { states: soFar, seen: [...before, ...seen], refused };
    },
  },
];
