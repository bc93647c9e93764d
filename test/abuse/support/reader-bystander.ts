import { LiveTestClient } from '../../../src/testing/index.js';
import { answer } from './ask.js';
import { busyUntilNow } from './slowdown.js';

let latenciesMs: number[] = [];
let gaps = 0;
const closed: unknown[] = [];

/** A healthy subscriber of one topic that records the delay of publications and any gaps. */
async function subscriber(url: string, topic: string): Promise<void> {
  const client = await LiveTestClient.connect(url, { token: 'healthy', timeoutMs: 15_000 });
  const { offset } = await client.request({ type: 'subscribe', id: 'stream', topic });
  let position = offset as number;
  void client.closed.then((how) => closed.push(how));
  client.socket.on('message', () => {
    // Otherwise the transcript would grow for as long as the abuse continues.
    for (const message of client.transcript.splice(0)) {
      if (message.type !== 'event') continue;
      if (message['offset'] !== position + 1) gaps += 1;
      position = message['offset'] as number;
      latenciesMs.push(Date.now() - (message['data'] as { at: number }).at);
    }
  });
}

const handlers = {
  connect: async (url: string) => {
    for (let i = 0; i < 10; i++) await subscriber(url, `live/${String(i % 5)}`);
  },
  report: () => {
    const sorted = latenciesMs.toSorted((one, other) => one - other);
    latenciesMs = [];
    const p99 = sorted[Math.floor(sorted.length * 0.99)] ?? 0;
    return { count: sorted.length, p99, gaps, closed, busy: busyUntilNow() };
  },
};
export type ReaderBystander = typeof handlers;

answer(handlers);
