import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type WebSocketConstructor } from '../../src/client/index.js';
import { CutProxy } from '../support/cut-proxy.js';
import { webSocketOrSse } from '../../src/client/sse.js';
import { thorough } from '../support/thorough.js';
import { startClientApp } from './client-app.js';

/** The short form of `bench/jitter.js`: fewer clients and shorter waits, the same shape. */
const clients = 60;
const publications = 60;
const everyMs = 100;
const cutEveryMs = 1_500;
const offlineMs = 200;

const sleep = (ms: number): Promise<void> =>
  new Promise((done) => {
    setTimeout(done, ms);
  });

/** mulberry32, a small 32-bit generator by Tommy Ettinger, public domain. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const doors: [string, () => WebSocketConstructor][] = [
  ['WebSockets', () => WebSocket as unknown as WebSocketConstructor],
  ...(thorough
    ? [['event streams', () => webSocketOrSse({ webSocket: null })] as [string, () => WebSocketConstructor]]
    : []),
];

it.each(doors)(
  '[L-5.2] clients whose %s are cut repeatedly get every publication once and in order',
  async (_door, door) => {
    const seed = Number(process.env['SEED'] ?? 20_261_123);
    const random = seeded(seed);
    const { url, live } = await startClientApp({ sse: true });
    const received = await Promise.all(
      Array.from({ length: clients }, async (_, i) => {
        const proxy = await CutProxy.to(url);
        const backoff = { minMs: 20, maxMs: 100 };
        const client = connect(proxy.through(url), {
          credential: `user-${String(i)}`,
          webSocket: door(),
          backoff,
        });
        onTestFinished(() => {
          client.close();
          proxy.close();
        });
        const offsets: number[] = [];
        const trouble: string[] = [];
        let cuts = 0;
        await new Promise<void>((started) => {
          client.subscribe('history/all', (message) => {
            if (message.type === 'start') started();
            else if (message.type === 'event') offsets.push(message.position.offset);
            else trouble.push(message.type);
          });
        });
        const cutting = (async () => {
          const endMs = Date.now() + publications * everyMs - offlineMs;
          for (
            await sleep(random() * cutEveryMs);
            Date.now() < endMs;
            await sleep(cutEveryMs * (0.5 + random()))
          ) {
            proxy.cut();
            cuts += 1;
            await sleep(offlineMs);
            proxy.heal();
          }
        })();
        return { offsets, trouble, cutting, cuts: () => cuts };
      }),
    );
    for (let i = 0; i < publications; i++) {
      await live.publish('history/all', { i });
      await sleep(everyMs);
    }
    await Promise.all(received.map(({ cutting }) => cutting));
    const all = Array.from({ length: publications }, (_, i) => i + 1);
    const deadline = Date.now() + 20_000;
    while (received.some(({ offsets }) => offsets.length < publications) && Date.now() < deadline)
      await sleep(20);
    const cuts = received.reduce((sum, each) => sum + each.cuts(), 0);
    console.log(`seed ${String(seed)}: ${String(clients)} clients, ${String(cuts)} cuts`);
    expect(cuts).toBeGreaterThan(clients);
    for (const { offsets, trouble } of received)
      expect({ offsets, trouble }).toEqual({ offsets: all, trouble: [] });
  },
  120_000,
);
