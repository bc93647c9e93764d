import { execFile } from 'node:child_process';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type PerMessageDeflateOptions, WebSocket } from 'ws';
import { startLiveApp } from './support/live-app.js';
import { describeWith, pythonWebsockets } from './support/programs.js';
import { clientFrame, handshake, RawPeer } from './support/raw-peer.js';

interface Heard {
  readonly messages: { readonly type: string; readonly offset?: number; readonly data?: unknown }[];
  readonly ws: WebSocket;
  /** Bytes on the wire since the last call. */
  bytes(): number;
}

/** A `ws` client that reads `open/1`. */
async function reader(url: string, perMessageDeflate: PerMessageDeflateOptions | boolean): Promise<Heard> {
  const ws = new WebSocket(url, { perMessageDeflate, headers: { authorization: 'Bearer ann' } });
  onTestFinished(() => ws.terminate());
  const messages: Heard['messages'] = [];
  ws.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Heard['messages'][number]));
  await new Promise((resolve, reject) => ws.on('open', resolve).on('error', reject));
  ws.send('{"type":"subscribe","id":1,"topic":"open/1"}');
  await expect.poll(() => messages.at(-1)?.type).toBe('subscribed');
  let before = 0;
  const bytes = (): number => {
    const { bytesRead } = (ws as unknown as { readonly _socket: Socket })._socket;
    const read = bytesRead - before;
    before = bytesRead;
    return read;
  };
  bytes();
  return { messages, ws, bytes };
}

/** About 2 KB of ordinary JSON. */
const vehicles = Array.from({ length: 30 }, (_, i) => ({
  id: `vehicle-${String(i)}`,
  speed: i % 9,
  line: 'M4',
}));
const plainBytes = JSON.stringify(vehicles).length;

describe('4. Compressed publications', () => {
  it('[L-4.6] a publication is compressed once per window size, and sent plain to clients without compression', async () => {
    const { live, url } = await startLiveApp({ options: { compression: true } });
    const compressed = await reader(url, true);
    const narrow = await reader(url, { serverMaxWindowBits: 9 });
    const noChoice = await reader(url, { clientMaxWindowBits: false as unknown as number });
    const plain = await reader(url, false);
    const readers = [compressed, narrow, noChoice, plain];
    expect(readers.map(({ ws }) => ws.extensions)).toEqual([
      'permessage-deflate',
      'permessage-deflate',
      'permessage-deflate',
      '',
    ]);
    await live.publish('open/1', vehicles);
    for (const { messages } of readers) await expect.poll(() => messages.at(-1)?.data).toEqual(vehicles);
    expect(plain.bytes()).toBeGreaterThan(plainBytes);
    expect(compressed.bytes()).toBeLessThan(plainBytes * 0.4);
    expect(noChoice.bytes()).toBeLessThan(plainBytes * 0.4);
    expect(narrow.bytes()).toBeLessThan(plainBytes * 0.5);
  });

  it('[L-4.6] compressed publications stay in order among short ones, answers and pings, in both directions', async () => {
    const { live, url } = await startLiveApp({ options: { compression: { thresholdBytes: 200 } } });
    const { messages, ws } = await reader(url, { threshold: 0 });
    for (let i = 0; i < 300; i++) {
      void live.publish('open/1', i % 3 === 0 ? vehicles.slice(0, i % 30) : i);
      if (i % 5 === 0)
        ws.send(JSON.stringify({ type: 'unsubscribe', id: i, topic: 'open/9', filler: 'x'.repeat(i) }));
      if (i % 7 === 0) ws.ping();
      if (i % 20 === 0) await new Promise(setImmediate);
    }
    const offsets = (): (number | undefined)[] =>
      messages.filter(({ type }) => type === 'event').map(({ offset }) => offset);
    await expect.poll(() => offsets().length).toBe(300);
    expect(offsets()).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
  });

  it.each([
    ['permessage-deflate; client_max_window_bits=9', 'permessage-deflate'],
    ['permessage-deflate; client_max_window_bits=8; server_max_window_bits=8', 'permessage-deflate'],
    ['permessage-deflate; unheard_of', undefined],
    ['permessage-deflate; unheard_of, permessage-deflate', undefined],
    ['permessage-deflate; server_max_window_bits=99', undefined],
    ['x-compress, permessage-deflate; client_max_window_bits=0', undefined],
    ['', undefined],
    [', ;', undefined],
  ])('[L-4.6] a client that offers %j connects, and the server answers with %j', async (offer, agreed) => {
    const { url, live } = await startLiveApp({ options: { compression: true } });
    const peer = await RawPeer.connect(Number(new URL(url).port));
    peer.send(handshake({ headers: { Authorization: 'Bearer ann', 'Sec-WebSocket-Extensions': offer } }));
    await expect.poll(() => peer.bytes.toString()).toMatch(/^HTTP\/1\.1 101 [^]*"type":"welcome"/);
    const [head = ''] = peer.bytes.toString().split('\r\n\r\n');
    expect(/Sec-WebSocket-Extensions: ([\w-]+)/.exec(head)?.[1]).toBe(agreed);
    peer.socket.destroy();
    await expect.poll(() => live.stats().connections).toBe(0);
  });

  it('[L-4.6] compression is off by default', async () => {
    const { url } = await startLiveApp();
    expect((await reader(url, true)).ws.extensions).toBe('');
  });

  it('[L-9.1] [L-4.6] a 10 KB message that inflates to 10 MB is closed with 1009', async () => {
    const { url, live } = await startLiveApp({ options: { compression: true } });
    const bomb = deflateRawSync(Buffer.alloc(10_485_760));
    expect(bomb.length).toBeLessThan(11_000);
    const before = process.memoryUsage().rss;
    const codes = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const peer = await RawPeer.connect(Number(new URL(url).port));
        const offer = 'permessage-deflate; client_max_window_bits';
        peer.send(handshake({ headers: { Authorization: 'Bearer eve', 'Sec-WebSocket-Extensions': offer } }));
        peer.send(clientFrame(bomb, 0xc1));
        await expect.poll(() => peer.closeCode).toBeDefined();
        peer.socket.destroy();
        return peer.closeCode;
      }),
    );
    expect(new Set(codes)).toEqual(new Set([1009]));
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1_048_576);
    await expect.poll(() => live.stats().connections).toBe(0);
  });
});

describeWith(pythonWebsockets)('4. Compressed publications, read in Python', () => {
  it('[L-4.6] a Python client that shares no code with the server reads compressed publications', async () => {
    const { live, url } = await startLiveApp({ options: { compression: true } });
    const script = `
import asyncio, json, sys, websockets
async def main():
    async with websockets.connect(sys.argv[1], extra_headers={"Authorization": "Bearer py"}) as ws:
        print([e.name for e in ws.extensions])
        await ws.recv()
        await ws.send(json.dumps({"type": "subscribe", "id": 1, "topic": "open/1"}))
        await ws.recv()
        print(len(json.loads(await ws.recv())["data"]))
asyncio.run(main())
`;
    const [python] = pythonWebsockets.check;
    const reading = promisify(execFile)(python, ['-c', script, url]);
    await expect.poll(() => live.stats().subscriptions, { timeout: 10_000 }).toBe(1);
    await live.publish('open/1', vehicles);
    expect((await reading).stdout).toBe(`['permessage-deflate']\n30\n`);
  }, 30_000);
});
