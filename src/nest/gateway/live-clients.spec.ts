import type { IncomingMessage } from 'node:http';
import { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Answers } from '../../core/inbound/reply.js';
import type { LiveConnection } from '../../core/ports/connection.js';
import { LiveClients } from './live-clients.js';

/** A client that has connected and gets an endless Observable as its answer. */
function asking() {
  const clients = new LiveClients();
  const connection = { open: true };
  const client = connection as unknown as LiveConnection;
  let producing = 0;
  const endless = new Observable(() => {
    producing += 1;
    return () => (producing -= 1);
  });
  clients.connected(client, {} as IncomingMessage);
  const leave = (): void => {
    connection.open = false;
    clients.disconnected(client, 'gone');
  };
  return { ask: () => clients.answersOf(endless, client, true), leave, producing: () => producing };
}

/** Two gateways, which note each connection. */
function withTwoGateways(): { readonly clients: LiveClients; readonly seen: string[] } {
  const clients = new LiveClients();
  const seen: string[] = [];
  for (const name of ['first', 'second']) clients.addGateway(() => seen.push(name));
  return { clients, seen };
}

describe('LiveClients', () => {
  const open = { open: true } as unknown as LiveConnection;

  it('[L-2.13] gateways with hooks see a connection when it opens', () => {
    const { clients, seen } = withTwoGateways();
    clients.connected(open, {} as IncomingMessage);
    expect(seen).toEqual(['first', 'second']);
  });

  it('[L-2.13] a connection costs gateways without hooks nothing', () => {
    const { clients, seen } = withTwoGateways();
    clients.haveHooks = false;
    clients.connected(open, {} as IncomingMessage);
    expect(seen).toEqual([]);
  });

  it('[L-2.13] an endless answer ends when its peer leaves', async () => {
    const { ask, leave, producing } = asking();
    const answers = ask();
    const done = answers instanceof Answers ? answers.forEach(() => {}) : undefined;
    expect(producing()).toBe(1);
    leave();
    await done;
    expect(producing()).toBe(0);
  });

  it('[L-2.13] an answer does not start if its peer left before the handler finished', () => {
    const { ask, leave, producing } = asking();
    leave();
    expect(ask()).toBeUndefined();
    expect(producing()).toBe(0);
  });
});
