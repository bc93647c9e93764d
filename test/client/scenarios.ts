import type { LiveClient, LiveClientOptions } from '../../src/client/index.js';

/** What a scenario may do to the server while it runs. */
export interface ServerControls {
  publish(topic: string, data: unknown, key?: string): Promise<unknown>;
  /** Resets the TCP connection of every client of this user. */
  cut(user: string): Promise<void>;
  close(user: string, code: number): Promise<void>;
  /** Connections and subscriptions of this user now. */
  count(user: string): Promise<{ connections: number; subscriptions: number }>;
}

export interface Scenario {
  readonly title: string;
  readonly expected: unknown;
  /**
   * Runs in Node and, as text, in a browser: it may use nothing but its parameters and what both have.
   * `connect` is the client's own; `user` is a name that no other scenario has, and a valid credential.
   */
  run(connect: Connect, user: string, server: ServerControls): Promise<unknown>;
}

export type Connect = (options?: LiveClientOptions) => LiveClient;

const event = (offset: number, data: unknown) => ({ type: 'event', offset, data });

export const scenarios: readonly Scenario[] = [
  {
    title: 'receives a topic in order, with its snapshot first',
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
    title: 'misses nothing of what was published while its connection was cut',
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
    title: 'is told what it lost, with the state to start over from',
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
    title: 'is iterated, publishes, and shares one subscription on the server',
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
    title: 'asks for a new credential when its own has come to an end, and not to come back when told not to',
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
];
