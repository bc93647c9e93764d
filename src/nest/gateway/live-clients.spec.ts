import type { IncomingMessage } from 'node:http';
import { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { LiveConnection } from '../../core/ports/connection.js';
import { Answers } from '../../core/inbound/reply.js';
import { type LiveClient, LiveClients } from './live-clients.js';

/** A client that requested an endless answer, from a handler that answers when the test says so. */
function asking() {
  const clients = new LiveClients();
  const connection = { open: true, send: () => {} };
  const client = connection as unknown as LiveConnection;
  let producing = 0;
  const endless = new Observable(() => {
    producing += 1;
    return () => (producing -= 1);
  });
  let answer = (): void => {};
  const callback = (): Promise<unknown> => new Promise((resolve) => (answer = () => resolve(endless)));
  const { find } = connect(clients, client);
  clients.bindHandlers(client, [{ message: 'feed', callback }]);
  const done = Promise.resolve(find('feed')?.({ type: 'feed' })).then((answers) =>
    answers instanceof Answers ? answers.forEach(() => {}) : undefined,
  );
  const leave = (): void => {
    connection.open = false;
    clients.disconnected(client, 'gone');
  };
  return { done, leave, answer: () => answer(), producing: () => producing };
}

function connect(clients: LiveClients, connection: LiveConnection): LiveClient {
  const client = clients.clientOf(connection);
  clients.connected(client, {} as IncomingMessage);
  return client;
}

/** Two gateways, which note each connection and handle `a` and `b`, or `b` and `c`. */
function withTwoGateways(): { readonly clients: LiveClients; readonly seen: string[] } {
  const clients = new LiveClients();
  const seen: string[] = [];
  const gateways: [string, string[]][] = [
    ['first', ['a', 'b']],
    ['second', ['b', 'c']],
  ];
  for (const [name, types] of gateways) {
    clients.addGateway((connection) => {
      seen.push(name);
      const bound = types.map((message) => ({ message, callback: () => Promise.resolve(name) }));
      clients.bindHandlers(connection, bound);
    });
  }
  return { clients, seen };
}

describe('LiveClients', () => {
  const open = { open: true } as unknown as LiveConnection;

  it('[L-2.13] a gateway with hooks sees a connection when it opens', () => {
    const { clients, seen } = withTwoGateways();
    connect(clients, open);
    expect(seen).toEqual(['first', 'second']);
  });

  it('[L-2.13] a gateway without hooks is bound by the first message that no gateway before it handles', async () => {
    const { clients, seen } = withTwoGateways();
    clients.bindLate();
    const { find } = connect(clients, open);
    expect(seen).toEqual([]);
    expect(await find('b')?.({ type: 'b' })).toBe('first');
    expect(seen).toEqual(['first']);
    expect(await find('c')?.({ type: 'c' })).toBe('second');
    expect(await find('b')?.({ type: 'b' })).toBe('first');
    expect(find('d')).toBeUndefined();
    expect(seen).toEqual(['first', 'second']);
  });

  it('[L-2.13] an endless answer ends when its peer leaves', async () => {
    const { done, leave, answer, producing } = asking();
    answer();
    await new Promise(setImmediate);
    expect(producing()).toBe(1);
    leave();
    await done;
    expect(producing()).toBe(0);
  });

  it('[L-2.13] an answer does not start if its peer left before the handler finished', async () => {
    const { done, leave, answer, producing } = asking();
    leave();
    answer();
    await done;
    expect(producing()).toBe(0);
  });
});
