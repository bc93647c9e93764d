import { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { LiveConnection } from '../../core/ports/connection.js';
import { Answers } from '../../core/inbound/reply.js';
import { LiveClients } from './live-clients.js';

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
  clients.bindHandlers(client, [{ message: 'feed', callback }]);
  const done = Promise.resolve(clients.finder(client)('feed')?.({ type: 'feed' })).then((answers) =>
    answers instanceof Answers ? answers.forEach(() => {}) : undefined,
  );
  const leave = (): void => {
    connection.open = false;
    clients.disconnected(client, 'gone');
  };
  return { done, leave, answer: () => answer(), producing: () => producing };
}

describe('LiveClients', () => {
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
