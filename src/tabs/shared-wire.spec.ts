import { beforeEach, describe, expect, it } from 'vitest';
import type { Platform } from '../client/platform.js';
import { Hub } from './hub.js';
import type { MemberLink } from './member.js';

/** Everything that happens, in order: `ann < text` is what a tab gets, `> text` what is sent. */
let log: string[];
let sockets: FakeSocket[];
let nowMs: number;

class FakeSocket {
  readonly listeners = new Map<string, (event: object) => void>();

  constructor() {
    sockets.push(this);
  }

  addEventListener(type: string, listener: (event: object) => void): void {
    this.listeners.set(type, listener);
  }

  send(text: string): void {
    log.push(`> ${text}`);
  }

  close(): void {
    log.push('> close');
  }

  emit(type: string, event: object = {}): void {
    this.listeners.get(type)?.(event);
  }

  says(message: object): void {
    this.emit('message', { data: JSON.stringify(message) });
  }
}

const welcome = {
  type: 'welcome',
  connectionId: 'c',
  limits: { maxTopicsPerMessage: 100, maxMessageBytes: 65_536 },
};
const at = (offset: number, more: object = {}): object => ({
  type: 'subscribed',
  topic: 't',
  epoch: 'e',
  offset,
  recovered: false,
  ...more,
});
const event = (offset: number): object => ({ type: 'event', topic: 't', offset, data: offset });

describe('SharedWire', () => {
  let hub: Hub;
  let server: FakeSocket;

  beforeEach(() => {
    log = [];
    sockets = [];
    nowMs = 0;
    const platform = { now: () => nowMs } as Platform;
    hub = new Hub(FakeSocket as never, platform);
  });

  function tab(name: string): MemberLink & { says(message: object): Promise<void> } {
    const link = hub.dial(
      {
        message: (text) => log.push(`${name} < ${text}`),
        closed: (code, reason) => log.push(`${name} closed ${String(code)} ${reason}`),
      },
      'wss://test/live',
    );
    return {
      ...link,
      async says(message) {
        link.send(JSON.stringify(message));
        // Subscribes of one moment are sent together.
        await Promise.resolve();
      },
    };
  }

  /** Tabs on one open connection. What they have heard so far is not in the log. */
  function tabs<Names extends readonly string[]>(...names: Names) {
    const made = names.map((name) => tab(name));
    server = sockets[0] as FakeSocket;
    server.emit('open');
    server.says(welcome);
    log = [];
    return made as { [Index in keyof Names]: ReturnType<typeof tab> };
  }

  /** Two tabs on `t`, both at offset 5. */
  async function pair() {
    const [ann, bob] = tabs('ann', 'bob');
    await ann.says({ type: 'subscribe', id: 7, topic: 't' });
    server.says(at(5, { id: 1 }));
    await bob.says({ type: 'subscribe', id: 7, topic: 't' });
    server.says(at(5, { id: 2 }));
    log = [];
    return [ann, bob] as const;
  }

  it('[L-1.11] a tab that joins an open connection gets its welcome, with the time that is left', () => {
    tab('ann');
    const [socket] = sockets;
    socket?.emit('open');
    socket?.says({ ...welcome, expiresInMs: 10_000 });
    nowMs = 4_000;
    log = [];
    tab('bob');
    expect(sockets).toHaveLength(1);
    expect(log).toEqual([`bob < ${JSON.stringify({ ...welcome, expiresInMs: 6_000 })}`]);
  });

  it('[L-2.4] requests of tabs with the same id are answered to the tab that sent each', async () => {
    const [ann, bob] = tabs('ann', 'bob');
    await ann.says({ type: 'ping', id: 1 });
    await bob.says({ type: 'ping', id: 1 });
    server.says({ type: 'pong', id: '2 1' });
    server.says({ type: 'pong', id: '1 1' });
    expect(log).toEqual([
      '> {"type":"ping","id":"1 1"}',
      '> {"type":"ping","id":"2 1"}',
      'bob < {"type":"pong","id":1}',
      'ann < {"type":"pong","id":1}',
    ]);
  });

  it('[L-4.16] a publish that names another one of its tab names the same one to the server', async () => {
    const [, bob] = tabs('ann', 'bob');
    await bob.says({ type: 'publish', id: 6, topic: 't', data: 1, after: 5 });
    server.says({ type: 'published', id: '2 6', topic: 't', epoch: 'e', offset: 1 });
    expect(log).toEqual([
      '> {"type":"publish","id":"2 6","topic":"t","data":1,"after":"2 5"}',
      'bob < {"type":"published","id":6,"topic":"t","epoch":"e","offset":1}',
    ]);
  });

  it('[L-3.5] a tab that subscribes later leaves nobody behind: the others catch up', async () => {
    const [ann, bob] = tabs('ann', 'bob');
    await ann.says({ type: 'subscribe', id: 7, topic: 't' });
    server.says(at(5, { id: 1 }));
    log = [];
    await bob.says({ type: 'subscribe', id: 9, topic: 't' });
    server.says(at(8, { id: 2 }));
    await Promise.resolve();
    // The events that the server goes on with are for the tab that began again.
    server.says(event(9));
    server.says(at(5, { id: 3, recovered: true }));
    for (const offset of [6, 7, 8, 9, 10]) server.says(event(offset));
    expect(log).toEqual([
      '> {"type":"subscribe","id":2,"topic":"t"}',
      `bob < ${JSON.stringify(at(8, { id: 9 }))}`,
      '> {"type":"subscribe","id":3,"topic":"t","since":{"epoch":"e","offset":5}}',
      `bob < ${JSON.stringify(event(9))}`,
      `ann < ${JSON.stringify(at(5, { recovered: true }))}`,
      // A client passes over what it has.
      ...[6, 7, 8, 9, 10].flatMap((offset) => [
        `bob < ${JSON.stringify(event(offset))}`,
        `ann < ${JSON.stringify(event(offset))}`,
      ]),
    ]);
  });

  it('[L-3.6] a topic is left when the last tab leaves it', async () => {
    const [ann, bob] = await pair();
    await ann.says({ type: 'unsubscribe', id: 8, topic: 't' });
    server.says(event(6));
    await bob.says({ type: 'unsubscribe', id: 8, topics: ['t'] });
    server.says(event(7));
    expect(log).toEqual([
      'ann < {"type":"unsubscribed","id":8,"topic":"t"}',
      `bob < ${JSON.stringify(event(6))}`,
      'bob < {"type":"unsubscribed","id":8,"topic":"t"}',
      '> {"type":"unsubscribe","id":3,"topic":"t"}',
    ]);
  });

  it('[L-4.8] tabs share the highest rate among them, and the next one when that tab leaves', async () => {
    const [ann, bob] = tabs('ann', 'bob');
    await ann.says({ type: 'subscribe', id: 7, topic: 't', maxRate: 2 });
    server.says(at(5, { id: 1 }));
    await bob.says({ type: 'subscribe', id: 7, topic: 't', maxRate: 8 });
    server.says(at(5, { id: 2 }));
    bob.close();
    await Promise.resolve();
    expect(log.filter((line) => line.startsWith('>'))).toEqual([
      '> {"type":"subscribe","id":1,"topic":"t","maxRate":2}',
      '> {"type":"subscribe","id":2,"topic":"t","maxRate":8}',
      '> {"type":"subscribe","id":3,"topic":"t","since":{"epoch":"e","offset":5},"maxRate":2}',
    ]);
  });

  it('[L-5.7] a fresh start that the server pushes reaches every tab', async () => {
    await pair();
    server.says(at(9));
    expect(log).toEqual([`ann < ${JSON.stringify(at(9))}`, `bob < ${JSON.stringify(at(9))}`]);
  });

  it('[L-6.10] only the tab that asked gets the pages, and other tabs ask after the last one', async () => {
    const [ann, bob] = tabs('ann', 'bob');
    await ann.says({ type: 'subscribe', id: 7, topic: 't', pages: true });
    server.says(at(5, { id: 1, pages: true }));
    await bob.says({ type: 'subscribe', id: 7, topic: 't' });
    const page = { type: 'page', topic: 't', snapshot: { a: 1 } };
    server.says(page);
    server.says({ ...page, last: true });
    await Promise.resolve();
    expect(log).toEqual([
      '> {"type":"subscribe","id":1,"topic":"t","pages":true}',
      `ann < ${JSON.stringify(at(5, { id: 7, pages: true }))}`,
      `ann < ${JSON.stringify(page)}`,
      `ann < ${JSON.stringify({ ...page, last: true })}`,
      '> {"type":"subscribe","id":2,"topic":"t"}',
    ]);
  });

  /** Two tabs that take pages, subscribed at offset 5. */
  async function pagedPair() {
    const [ann, bob] = tabs('ann', 'bob');
    await ann.says({ type: 'subscribe', id: 7, topic: 't', pages: true });
    server.says(at(5, { id: 1 }));
    await bob.says({ type: 'subscribe', id: 7, topic: 't', pages: true });
    server.says(at(5, { id: 2 }));
    log = [];
    return [ann, bob] as const;
  }
  const page = (last = false): object => ({
    type: 'page',
    topic: 't',
    snapshot: { a: 1 },
    ...(last && { last }),
  });
  const both = (message: object): string[] =>
    ['ann', 'bob'].map((name) => `${name} < ${JSON.stringify(message)}`);

  it('[L-6.10] the pages of a pushed start reach every tab, and a tab asks after the last one', async () => {
    const [ann] = await pagedPair();
    server.says(at(9, { pages: true }));
    await ann.says({ type: 'subscribe', id: 8, topic: 't', pages: true });
    server.says(page());
    server.says(page(true));
    await Promise.resolve();
    expect(log).toEqual([
      ...both(at(9, { pages: true })),
      ...both(page()),
      ...both(page(true)),
      '> {"type":"subscribe","id":3,"topic":"t","pages":true}',
    ]);
  });

  it('[L-6.10] an answer that ends the pages of a pushed start has the other tabs start over', async () => {
    const [ann] = await pagedPair();
    await ann.says({ type: 'subscribe', id: 8, topic: 't', pages: true });
    server.says(at(9, { pages: true }));
    server.says(page());
    log = [];
    server.says(at(9, { id: 3, pages: true }));
    server.says(page(true));
    await Promise.resolve();
    server.says(at(9, { id: 4, pages: true }));
    server.says(page(true));
    expect(log).toEqual([
      `ann < ${JSON.stringify(at(9, { id: 8, pages: true }))}`,
      `ann < ${JSON.stringify(page(true))}`,
      '> {"type":"subscribe","id":4,"topic":"t","pages":true}',
      `bob < ${JSON.stringify(at(9, { pages: true }))}`,
      `bob < ${JSON.stringify(page(true))}`,
    ]);
  });

  it('[L-6.10] tabs ask for pages only if each of them takes pages', async () => {
    const [ann, bob] = await pagedPair();
    await bob.says({ type: 'subscribe', id: 8, topic: 't' });
    server.says(at(5, { id: 3 }));
    await ann.says({ type: 'subscribe', id: 8, topic: 't', pages: true });
    server.says(at(5, { id: 4 }));
    bob.close();
    await ann.says({ type: 'subscribe', id: 9, topic: 't', pages: true });
    expect(log.filter((line) => line.startsWith('>'))).toEqual([
      '> {"type":"subscribe","id":3,"topic":"t"}',
      '> {"type":"subscribe","id":4,"topic":"t"}',
      '> {"type":"subscribe","id":5,"topic":"t","pages":true}',
    ]);
  });

  it('[L-6.11] once a tab takes a list of entries all requests ask for it, and every tab gets the list', async () => {
    const [ann, bob] = tabs('ann', 'bob');
    const list = { entries: { maxKeys: 9, maxBytes: 99 }, snapshot: [['b', 1, 5]] };
    await ann.says({ type: 'subscribe', id: 7, topic: 't', pages: true, entries: true });
    server.says(at(5, { id: 1, ...list }));
    await bob.says({ type: 'subscribe', id: 8, topic: 't', pages: true });
    server.says(at(5, { id: 2, ...list }));
    server.says(at(6, list));
    expect(log).toEqual([
      '> {"type":"subscribe","id":1,"topic":"t","pages":true,"entries":true}',
      `ann < ${JSON.stringify(at(5, { id: 7, ...list }))}`,
      '> {"type":"subscribe","id":2,"topic":"t","pages":true,"entries":true}',
      `bob < ${JSON.stringify(at(5, { id: 8, ...list }))}`,
      `ann < ${JSON.stringify(at(6, list))}`,
      `bob < ${JSON.stringify(at(6, list))}`,
    ]);
  });

  it('[L-3.9] a refused subscribe is an error for the tab that asked, and an end for the others', async () => {
    const [ann] = await pair();
    await ann.says({ type: 'subscribe', id: 8, topic: 't' });
    const refusal = { type: 'error', id: 3, code: 'forbidden', message: 'No', topic: 't' };
    server.says(refusal);
    await Promise.resolve();
    const end = '{"type":"unsubscribed","topic":"t","code":"forbidden","reason":"No"}';
    expect(log).toEqual([
      '> {"type":"subscribe","id":3,"topic":"t"}',
      `ann < ${JSON.stringify({ ...refusal, id: 8 })}`,
      `ann < ${end}`,
      `bob < ${end}`,
      '> {"type":"unsubscribe","id":4,"topic":"t"}',
    ]);
  });

  it('[L-7.6] a credential that one tab renews is renewed for all', async () => {
    const [ann] = tabs('ann', 'bob');
    await ann.says({ type: 'auth', id: 4, token: 'T' });
    server.says({ type: 'authenticated', id: '1 4', expiresInMs: 5_000 });
    expect(log).toEqual([
      '> {"type":"auth","id":"1 4","token":"T"}',
      'ann < {"type":"authenticated","id":4,"expiresInMs":5000}',
      'bob < {"type":"authenticated","expiresInMs":5000}',
    ]);
  });

  it('[L-10.7] tabs leave a draining connection one by one, for one successor', () => {
    const [ann, bob] = tabs('ann', 'bob');
    server.says({ type: 'draining', reconnectAfterMs: 0, windowMs: 0 });
    tab('ann again');
    tab('bob again');
    expect(sockets).toHaveLength(2);
    ann.close();
    expect(log).not.toContain('> close');
    bob.close();
    expect(log).toContain('> close');
  });

  it('[L-10.3] the end of the connection is the end of every tab, with its code', () => {
    tabs('ann', 'bob');
    server.emit('close', { code: 4501, reason: 'credential expired' });
    expect(log).toEqual(['ann closed 4501 credential expired', 'bob closed 4501 credential expired']);
  });
});
