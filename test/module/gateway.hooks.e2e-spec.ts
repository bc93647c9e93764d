import type { IncomingMessage } from 'node:http';
import { SubscribeMessage } from '@nestjs/websockets';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type LiveConnection,
  ConnectionRegistry,
  LiveGateway,
  LiveHandlers,
  type LiveModuleOptions,
} from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { itOnSockets } from '../support/door.js';
import { OpenTopics, platforms, startLiveApp } from '../support/live-app.js';
import { LogRecorder } from './support/log-recorder.js';

/** A promise that a test resolves. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

type Hook = (connection: LiveConnection, ...rest: unknown[]) => unknown;

describe.each(platforms)('handleConnection and handleDisconnect, on %s', (_name, platform) => {
  const strays: unknown[] = [];
  const stray = (error: unknown): void => {
    strays.push(error);
  };

  beforeEach(() => {
    strays.length = 0;
    process.on('uncaughtException', stray);
    process.on('unhandledRejection', stray);
  });

  afterEach(() => {
    process.off('uncaughtException', stray);
    process.off('unhandledRejection', stray);
  });

  /** An application with the hooks in a handlers class or in the gateway itself. */
  const start = async (
    where: 'handlers' | 'gateway',
    hooks: { connect?: Hook; disconnect?: Hook },
    options: LiveModuleOptions = {},
  ) => {
    const log = new LogRecorder();
    @LiveHandlers()
    class Handlers {
      handleConnection(...args: Parameters<Hook>): unknown {
        return hooks.connect?.(...args);
      }

      handleDisconnect(...args: Parameters<Hook>): unknown {
        return hooks.disconnect?.(...args);
      }

      @SubscribeMessage('greet')
      greet(): string {
        return 'hello';
      }
    }
    class Gateway extends LiveGateway {
      handleConnection(...args: Parameters<Hook>): unknown {
        return hooks.connect?.(...args);
      }

      handleDisconnect(...args: Parameters<Hook>): unknown {
        return hooks.disconnect?.(...args);
      }

      @SubscribeMessage('greet')
      greet(): string {
        return 'hello';
      }
    }
    const { app, url } = await startLiveApp({
      platform,
      options,
      providers: where === 'handlers' ? [OpenTopics, Handlers] : [OpenTopics],
      ...(where === 'gateway' && { gateway: Gateway }),
      before: log.use,
    });
    return { app, url, log, connect: () => LiveTestClient.connect(url, { token: 'ann' }) };
  };

  describe.each(['handlers', 'gateway'] as const)('of the %s', (where) => {
    // A stream has no close code of its client, and no pings of it [L-12.6].
    itOnSockets(
      '[S7] handleConnection receives every connection with its request, and handleDisconnect the close reason',
      async () => {
        const calls: unknown[] = [];
        const ended = gate();
        const { connect } = await start(where, {
          connect: (connection, request) => {
            calls.push([connection.user?.id, connection.open, (request as IncomingMessage).url]);
          },
          disconnect: (connection, reason) => {
            calls.push([connection.user?.id, connection.open, reason]);
            ended.open();
          },
        });
        const client = await connect();
        expect(await client.request({ type: 'greet', id: 1 })).toEqual({
          type: 'greet',
          id: 1,
          data: 'hello',
        });
        client.socket.close(4_000, 'bye');
        await ended.opened;
        expect(calls).toEqual([
          ['ann', true, '/live'],
          ['ann', false, 'bye'],
        ]);
      },
    );

    it.each([
      [
        'throws',
        () => {
          throw new Error('secret');
        },
      ],
      [
        'rejects',
        async () => {
          await Promise.resolve();
          throw new Error('secret');
        },
      ],
      [
        'throws nothing',
        () => {
          throw undefined;
        },
      ],
    ])(
      '[S8] a handleConnection that %s closes its connection with 1011, and no other',
      async (_how, fail) => {
        let failing = false;
        const { app, connect, log } = await start(where, { connect: () => (failing ? fail() : undefined) });
        const healthy = await connect();
        failing = true;
        const client = await connect();
        client.send({ type: 'greet', id: 1 });
        expect(await client.closed).toEqual({ code: 1011, reason: 'the server failed' });
        expect(client.transcript.map(({ type }) => type)).toEqual(['welcome']);
        expect(await healthy.request({ type: 'greet', id: 1 })).toMatchObject({ data: 'hello' });
        expect(app.get(ConnectionRegistry).size).toBe(1);
        expect(strays).toEqual([]);
        const [entry] = log.entries.filter(({ level }) => level === 'error');
        expect(entry).toMatchObject({
          message: {
            msg: expect.stringMatching(/^failed: calling handleConnection of \w+$/) as string,
            connectionId: client.transcript[0]?.['connectionId'],
          },
        });
      },
    );

    it.each([
      [
        'throws',
        () => {
          throw new Error('secret');
        },
      ],
      [
        'rejects',
        async () => {
          await Promise.resolve();
          throw new Error('secret');
        },
      ],
    ])('[S8] a handleDisconnect that %s is logged, and the process continues', async (_how, disconnect) => {
      const { app, connect, log } = await start(where, { disconnect });
      const client = await connect();
      await client.close();
      await expect.poll(() => log.entries.filter(({ level }) => level === 'error')).toHaveLength(1);
      expect(log.entries.find(({ level }) => level === 'error')?.message).toMatchObject({
        msg: expect.stringMatching(/^failed: calling handleDisconnect of \w+$/) as string,
        connectionId: client.transcript[0]?.['connectionId'],
      });
      expect(app.get(ConnectionRegistry).size).toBe(0);
      const other = await connect();
      expect(await other.request({ type: 'greet', id: 1 })).toMatchObject({ data: 'hello' });
      expect(strays).toEqual([]);
    });

    itOnSockets('[S7] messages wait until an asynchronous handleConnection has finished', async () => {
      const connecting = gate();
      const order: string[] = [];
      const { connect } = await start(where, {
        connect: async () => {
          await connecting.opened;
          order.push('connected');
        },
      });
      const client = await connect();
      client.send({ type: 'subscribe', id: 1, topic: 'open/1' });
      client.send({ type: 'greet', id: 2 });
      client.send({ type: 'ping', id: 3 });
      const settled = client.settle().then(() => order.push('answered'));
      client.socket.ping();
      // The server answers a ping frame at once, independent of messages that wait.
      await new Promise((resolve) => {
        client.socket.once('pong', resolve);
      });
      expect(client.transcript.map(({ type }) => type)).toEqual(['welcome']);
      connecting.open();
      await settled;
      const answers = client.transcript.filter(({ id }) => typeof id === 'number');
      expect(answers.toSorted((one, other) => Number(one['id']) - Number(other['id']))).toEqual([
        expect.objectContaining({ type: 'subscribed', id: 1 }),
        { type: 'greet', id: 2, data: 'hello' },
        { type: 'pong', id: 3 },
      ]);
      expect(order).toEqual(['connected', 'answered']);
    });

    it('[S7] handleDisconnect runs after a pending handleConnection, and no message is handled after the close', async () => {
      const connecting = gate();
      const ended = gate();
      const order: string[] = [];
      const { app, connect } = await start(where, {
        connect: async () => {
          await connecting.opened;
          order.push('connected');
        },
        disconnect: () => {
          order.push('disconnected');
          ended.open();
        },
      });
      const client = await connect();
      client.send({ type: 'subscribe', id: 1, topic: 'open/1' });
      await client.close();
      await expect.poll(() => app.get(ConnectionRegistry).size).toBe(0);
      expect(order).toEqual([]);
      connecting.open();
      await ended.opened;
      expect(order).toEqual(['connected', 'disconnected']);
    });
  });

  itOnSockets(
    '[S7] handleConnection of every class is called, and messages wait for the slowest',
    async () => {
      const slow = gate();
      const calls: string[] = [];
      const handlers = (name: string, connect: () => unknown) => {
        @LiveHandlers()
        class Handlers {
          handleConnection(): unknown {
            calls.push(name);
            return connect();
          }
        }
        return Handlers;
      };
      const { url } = await startLiveApp({
        platform,
        providers: [
          OpenTopics,
          handlers('one', () => Promise.resolve()),
          handlers('slow', () => slow.opened),
          handlers('last', () => undefined),
        ],
      });
      const client = await LiveTestClient.connect(url, { token: 'ann' });
      const answer = client.request({ type: 'ping', id: 1 }).then(() => calls.push('answered'));
      // Several round trips: an answer that did not wait would have arrived.
      for (let i = 0; i < 5; i++) {
        client.socket.ping();
        await new Promise((resolve) => {
          client.socket.once('pong', resolve);
        });
      }
      expect(calls.toSorted()).toEqual(['last', 'one', 'slow']);
      slow.open();
      await answer;
      expect(calls.at(-1)).toBe('answered');
    },
  );

  it('[S8] handleConnection may close a connection, and what it sends follows the welcome', async () => {
    const { connect } = await start('handlers', {
      connect: (connection) => {
        connection.send({ type: 'sorry' });
        connection.close(4_500, 'not today');
      },
    });
    const client = await connect();
    expect(await client.closed).toEqual({ code: 4_500, reason: 'not today' });
    expect(client.transcript.map(({ type }) => type)).toEqual(['welcome', 'sorry']);
  });
});
