import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type LiveClient, type WebSocketConstructor } from '../../src/client/index.js';
import { webSocketOrSse, type WebSocketOrSseOptions } from '../../src/client/sse.js';
import { CutProxy } from '../support/cut-proxy.js';
import { startClientApp } from './client-app.js';

const real = WebSocket as unknown as WebSocketConstructor;

/** WebSockets to another place than event streams, as a proxy treats them differently. */
const socketsTo = (url: string): WebSocketConstructor =>
  class extends (WebSocket as unknown as new (url: string, protocols: string[]) => WebSocket) {
    constructor(_url: string, protocols: string[]) {
      super(url, protocols);
    }
  } as unknown as WebSocketConstructor;

function clientOf(url: string, options: WebSocketOrSseOptions, credential = 'ann'): LiveClient {
  const backoff = { minMs: 20, maxMs: 50 };
  const client = connect(url, { credential, backoff, webSocket: webSocketOrSse(options) });
  onTestFinished(() => client.close());
  return client;
}

const welcomed = (client: LiveClient): Promise<unknown> =>
  new Promise((resolve) => client.on('status', ({ state }) => state === 'open' && resolve(state)));

/** A port that accepts connections and never answers. */
async function silentUrl(): Promise<string> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}/live`;
}

describe('The client’s way around blocked WebSockets', () => {
  it('[L-12.1] a client whose WebSocket opens uses no event stream', async () => {
    const { url, live } = await startClientApp({ sse: true });
    await welcomed(clientOf(url, { webSocket: real }));
    expect(live.stats()).toMatchObject({ connections: 1, eventStreams: 0 });
  });

  it.each([
    ['refused by the network', async () => 'ws://127.0.0.1:1/live'],
    ['never answered', silentUrl],
  ])('[L-12.1] a client whose WebSocket is %s reads an event stream', async (_how, blocked) => {
    const { url, live } = await startClientApp({ sse: true });
    const client = clientOf(url, { webSocket: socketsTo(await blocked()), openWithinMs: 100 });
    const first = new Promise((resolve) =>
      client.subscribe('history/x', (message) => message.type === 'event' && resolve(message.data)),
    );
    await welcomed(client);
    expect(live.stats()).toMatchObject({ connections: 1, eventStreams: 1 });
    await expect.poll(() => live.stats().subscriptions).toBe(1);
    await live.publish('history/x', 7);
    expect(await first).toBe(7);
  });

  it('[L-12.1] a client on an event stream returns to a WebSocket that opens again, and misses nothing', async () => {
    const { url, live } = await startClientApp({ sse: true });
    const proxy = await CutProxy.to(url);
    onTestFinished(() => proxy.close());
    proxy.cut();
    const client = clientOf(url, { webSocket: socketsTo(proxy.through(url)), retryMs: 150 });
    const data: unknown[] = [];
    const started = new Promise((resolve) =>
      client.subscribe('history/x', (message) => {
        if (message.type === 'event') data.push(message.data);
        else resolve(message.type);
      }),
    );
    await started;
    expect(live.stats().eventStreams).toBe(1);
    proxy.heal();
    let i = 0;
    while (live.stats().eventStreams > 0 || live.stats().connections !== 1) {
      await live.publish('history/x', i++);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await live.publish('history/x', i++);
    await expect.poll(() => data.length).toBe(i);
    expect(data).toEqual(Array.from({ length: i }, (_, at) => at));
  });

  it('[L-12.1] a client whose credential is refused opens no event stream, and tries its WebSocket again', async () => {
    const { url, live } = await startClientApp({ sse: true });
    const client = clientOf(url, { webSocket: socketsTo('ws://127.0.0.1:1/live') }, 'refused');
    const waits: string[] = [];
    await new Promise<void>((resolve) =>
      client.on('status', (status) => {
        if (status.state === 'waiting' && waits.push(status.reason) === 3) resolve();
      }),
    );
    expect(waits).toEqual(Array(3).fill('the stream was answered 401'));
    expect(live.stats().connections).toBe(0);
  });
});
