import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { connect, type LiveClient, type LiveStatus } from './index.js';
import { defaultPlatform, type PlatformEvents } from './platform.js';

/** A minimal server on real sockets that shares no code with this project. */
class Server {
  readonly http = createServer();
  readonly sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'live.v1' });
  readonly handshakes: string[] = [];
  readonly received: string[] = [];
  /** Status of the answer to a handshake. 101 accepts it. */
  status = 101;

  async listen(): Promise<string> {
    this.http.on('upgrade', (request, socket, head) => {
      this.handshakes.push(String(request.headers['sec-websocket-protocol']));
      if (this.status === 101)
        this.sockets.handleUpgrade(request, socket, head, (ws) => this.#greet(ws, request));
      else socket.end(`HTTP/1.1 ${String(this.status)} No\r\nConnection: close\r\n\r\n`);
    });
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((this.http.address() as AddressInfo).port)}/live`;
  }

  async close(): Promise<void> {
    for (const ws of this.sockets.clients) ws.terminate();
    await new Promise((resolve) => this.http.close(resolve));
  }

  #greet(ws: WebSocket, request: IncomingMessage): void {
    expect(request.url).toBe('/live');
    const say = (message: object): void => ws.send(JSON.stringify(message));
    ws.on('message', (data) => {
      this.received.push(String(data as Buffer));
      const { type, id, topic } = JSON.parse(String(data as Buffer)) as Record<string, unknown>;
      if (type === 'subscribe')
        say({ type: 'subscribed', id, topic, epoch: 'e', offset: 0, recovered: false });
      if (type === 'publish') {
        say({ type: 'event', topic, offset: 1, data: 'é☃' });
        say({ type: 'published', id, topic, epoch: 'e', offset: 1 });
      }
    });
    const limits = { maxMessageBytes: 65_536, maxTopics: 128, pingIntervalMs: 25_000 };
    say({ type: 'welcome', connectionId: 'c', instanceId: 'i', user: null, limits });
  }
}

let server: Server;
let url: string;
const clients: LiveClient[] = [];

beforeEach(async () => {
  server = new Server();
  url = await server.listen();
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
  vi.unstubAllGlobals();
});

function open(options: Parameters<typeof connect>[1] = {}): LiveClient {
  const client = connect(url, { webSocket: WebSocket, ...options });
  clients.push(client);
  client.reconnect();
  return client;
}

const until = <S extends LiveStatus['state']>(
  client: LiveClient,
  state: S,
): Promise<LiveStatus & { state: S }> =>
  new Promise((resolve) => {
    const check = (status: LiveStatus): void => {
      if (status.state === state) resolve(status as LiveStatus & { state: S });
    };
    check(client.status);
    client.on('status', check);
  });

describe('over a real socket', () => {
  it('[L-1.3] a client connects over http(s) or ws(s) URLs, subscribes, publishes and closes', async () => {
    const client = open({ credential: () => Promise.resolve('T') });
    const iterator = client.subscribe('a')[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toMatchObject({ type: 'start' });
    expect(await client.publish('a', 1)).toEqual({ epoch: 'e', offset: 1 });
    expect((await iterator.next()).value).toMatchObject({ type: 'event', data: 'é☃' });
    const [peer] = server.sockets.clients;
    const closed = new Promise((resolve) => peer?.on('close', (code) => resolve(code)));
    client.close();
    expect(await closed).toBe(1000);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(server.handshakes).toEqual(['live.v1,bearer.T']);
    expect(server.received).toEqual([
      '{"type":"subscribe","id":1,"topic":"a"}',
      expect.stringMatching(/^\{"type":"publish","topic":"a","data":1,"idempotencyKey":"\w+-1","id":2\}$/),
    ]);
  });

  it('[L-1.6] a client refused with 401 waits, reports the status if it can, and requests another credential', async () => {
    server.status = 401;
    const asked: string[] = [];
    const client = open({
      backoff: { minMs: 1, maxMs: 1 },
      credential: ({ reason }) => {
        asked.push(reason);
        if (reason === 'rejected') server.status = 101;
        return `t${String(asked.length)}`;
      },
    });
    expect(await until(client, 'waiting')).toMatchObject({
      code: 1006,
      reason: 'Unexpected server response: 401',
    });
    await until(client, 'open');
    expect(asked).toEqual(['connect', 'rejected']);
    expect(server.handshakes).toEqual(['live.v1,bearer.t1', 'live.v1,bearer.t2']);
  });

  it('a client reconnects after its connection is torn down', async () => {
    const client = open({ backoff: { minMs: 1, maxMs: 1 } });
    await until(client, 'open');
    for (const ws of server.sockets.clients) ws.terminate();
    expect(await until(client, 'waiting')).toMatchObject({ code: 1006 });
    await until(client, 'open');
    expect(server.handshakes).toHaveLength(2);
  });

  it('[L-10.3] a client reads code and reason of a close', async () => {
    const client = open();
    await until(client, 'open');
    for (const ws of server.sockets.clients) ws.close(4503, 'logged out');
    expect(await until(client, 'closed')).toEqual({ state: 'closed', code: 4503, reason: 'logged out' });
  });

  it('[L-9.17] a client accepts a message of more than 1 MiB', async () => {
    const client = open();
    await until(client, 'open');
    const data = 'x'.repeat(2 ** 20);
    const taken = new Promise((resolve) => {
      client.subscribe('a', (message) => {
        if (message.type === 'start')
          for (const ws of server.sockets.clients)
            ws.send(JSON.stringify({ type: 'event', topic: 'a', offset: 1, data }));
        else resolve(message.type === 'event' && message.data);
      });
    });
    expect(await taken).toBe(data);
  });

  it('a failed handshake ends at `error`, even if no `close` follows, as on Node 22', async () => {
    class Failing {
      readonly #fail: Promise<((event: unknown) => void)[]>;
      readonly #listeners: ((event: unknown) => void)[] = [];

      constructor() {
        this.#fail = Promise.resolve(this.#listeners);
        void this.#fail.then((all) => all.forEach((listener) => listener({ message: 'non-101' })));
      }

      addEventListener(type: string, listener: (event: never) => void): void {
        if (type === 'error') this.#listeners.push(listener as (event: unknown) => void);
      }

      send(): void {}

      close(): void {}
    }
    const client = open({ webSocket: Failing });
    expect(await until(client, 'waiting')).toMatchObject({ code: 1006, reason: 'non-101' });
  });

  it('closing a client terminates a socket whose peer does not answer the close', async () => {
    const sockets: WebSocket[] = [];
    class Kept extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols);
        sockets.push(this);
      }
    }
    const client = open({ webSocket: Kept });
    await until(client, 'open');
    for (const ws of server.sockets.clients) ws.pause();
    const startMs = Date.now();
    const gone = new Promise((resolve) => void sockets[0]?.once('close', resolve));
    client.close();
    await gone;
    expect(Date.now() - startMs).toBeLessThan(1_000);
  });

  it('closing a client during the handshake throws nothing', async () => {
    const client = open();
    await Promise.resolve();
    client.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(client.state).toBe('closed');
  });

  it('a client closes with the error if its URL is invalid', async () => {
    url = 'no url';
    expect(await until(open(), 'closed')).toMatchObject({ error: { name: 'SyntaxError' } });
  });

  it('the error of a runtime without a WebSocket says how to get one', () => {
    vi.stubGlobal('WebSocket', undefined);
    const client = connect(url);
    expect(() => client.subscribe('a')).toThrow(/npm i ws, and connect\(url, \{ webSocket: WebSocket \}\)/);
    vi.stubGlobal('WebSocket', WebSocket);
    clients.push(client);
    client.subscribe('a');
    expect(client.state).toBe('connecting');
  });

  it('an unused client without a page, as in server-side rendering, requests no credential and does not connect', async () => {
    const credential = vi.fn(() => 'T');
    const client = connect(url, { webSocket: WebSocket, credential });
    client.on('error', () => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([credential.mock.calls.length, server.handshakes.length]).toEqual([0, 0]);
    client.close();
    client.reconnect();
    expect(client.state).toBe('closed');
  });

  it.each(['subscribe', 'publish', 'reconnect', 'on'] as const)(
    'a client without a page connects at its first use: %s',
    async (use) => {
      const client = connect(url, { webSocket: WebSocket });
      clients.push(client);
      if (use === 'on') client.on('status', () => {});
      else if (use === 'publish') await client.publish('a', 1);
      else client[use]('a');
      await until(client, 'open');
      expect(server.handshakes).toEqual(['live.v1']);
    },
  );
});

describe('platform of a browser', () => {
  /** Adds the name of each event. */
  const namedTo = (seen: string[]): PlatformEvents => ({
    back: () => seen.push('back'),
    focus: () => seen.push('focus'),
    cached: () => seen.push('cached'),
  });

  class Page extends EventTarget {
    visibilityState = 'hidden';
  }

  it('the platform reports a page that is cached, shown again, thawed, or focused', () => {
    const [window, page] = [new EventTarget(), new Page()];
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
    vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window));
    vi.stubGlobal('document', page);
    const seen: string[] = [];
    const cancel = defaultPlatform().listen(namedTo(seen));
    const happen = (): void => {
      window.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: false }));
      window.dispatchEvent(Object.assign(new Event('pagehide'), { persisted: true }));
      window.dispatchEvent(new Event('pageshow'));
      page.dispatchEvent(new Event('resume'));
      window.dispatchEvent(new Event('focus'));
    };
    happen();
    expect(seen).toEqual(['cached', 'back', 'back', 'focus']);
    cancel();
    happen();
    expect(seen).toHaveLength(4);
  });

  it('the platform reports a returning network and a page becoming visible, until canceled', () => {
    const [network, page] = [new EventTarget(), new Page()];
    vi.stubGlobal('addEventListener', network.addEventListener.bind(network));
    vi.stubGlobal('removeEventListener', network.removeEventListener.bind(network));
    vi.stubGlobal('document', page);
    const seen: string[] = [];
    const cancel = defaultPlatform().listen(namedTo(seen));
    const happen = (): void => {
      network.dispatchEvent(new Event('online'));
      page.dispatchEvent(new Event('visibilitychange'));
    };
    happen();
    expect(seen).toEqual(['back']);
    page.visibilityState = 'visible';
    happen();
    expect(seen).toEqual(['back', 'back', 'back']);
    cancel();
    happen();
    expect(seen).toHaveLength(3);
  });

  it('the platform has a clock, randomness, and timers that can be canceled', async () => {
    const platform = defaultPlatform();
    expect(Math.abs(platform.wallMs() - Date.now())).toBeLessThan(1_000);
    expect(platform.random()).toBeLessThan(1);
    const seen: string[] = [];
    platform.setTimer(() => seen.push('canceled'), 0)();
    await new Promise<void>((resolve) => platform.setTimer(resolve, 1));
    expect(seen).toEqual([]);
  });
});
