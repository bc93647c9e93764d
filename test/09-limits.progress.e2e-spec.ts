import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type WebSocketConstructor } from '../src/client/index.js';
import { webSocketOrSse } from '../src/client/sse.js';
import { LiveObservers, LiveTopic } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { onStreams } from './support/door.js';
import { platforms, startLiveApp } from './support/live-app.js';
import { slowProxy } from './support/slow-proxy.js';

/** About a tenth of the defaults: fast enough for a test, slow enough for a busy machine. */
const impatient = { pingIntervalMs: 1_600, pongTimeoutMs: 1_000, maxQueueAgeMs: 1_000 };

let snapshotBytes = 0;
let snapshots = 0;

@LiveTopic('large', { history: { size: 300 } })
class Large {
  canSubscribe(): boolean {
    return true;
  }

  snapshot(): string {
    snapshots += 1;
    return 'x'.repeat(snapshotBytes);
  }
}

describe.each(platforms)('9. A reader on a slow line, on %s', (_name, platform) => {
  async function start(bytes: number, options = {}) {
    snapshotBytes = bytes;
    snapshots = 0;
    const { app, live, url } = await startLiveApp({
      platform,
      providers: [Large],
      guards: [],
      options: { dangerouslyPublic: true, ...impatient, ...options },
    });
    const closes: number[] = [];
    app.get(LiveObservers).add({ closed: (_connection, code) => void closes.push(code) });
    return { live, url, closes };
  }

  it.each([
    ['more than the kernel buffers', 8_000_000, 2_500_000],
    ['no more than the kernel buffers', 400_000, 250_000],
  ])(
    '[L-8.6] a reader on a slow line gets a large snapshot once: %s',
    // A machine that stands still for seconds looks like a peer that does not answer pings.
    { timeout: 30_000, retry: 2 },
    async (_what, bytes, bytesPerSecond) => {
      const { live, url, closes } = await start(bytes);
      const client = connect(await slowProxy(url, bytesPerSecond), {
        webSocket: onStreams
          ? webSocketOrSse({ webSocket: null })
          : (WebSocket as unknown as WebSocketConstructor),
      });
      onTestFinished(() => client.close());
      const seen: string[] = [];
      client.subscribe('large', (message) => {
        seen.push(message.type);
        sawLast ||= message.type === 'event' && message.data === 'last';
      });
      let sawLast = false;
      while (!seen.includes('start')) {
        await live.publish('large', 'event');
        await sleep(50);
      }
      await live.publish('large', 'last');
      await expect.poll(() => sawLast, { timeout: 10_000 }).toBe(true);
      expect([snapshots, closes, new Set(seen)]).toEqual([1, [], new Set(['start', 'event'])]);
    },
  );

  it(
    '[L-8.6] a reader that stops is closed once the time allowed for its queued bytes is over',
    { timeout: 30_000 },
    async () => {
      const { url, closes } = await start(80_000);
      const client = await LiveTestClient.connect(url, {});
      client.send({ type: 'subscribe', id: 1, topic: 'large' });
      client.socket.pause();
      const startedMs = performance.now();
      await expect.poll(() => closes, { timeout: 25_000 }).toHaveLength(1);
      // 80 KB at 16 KiB/s, plus the time allowed for a silent peer.
      expect(performance.now() - startedMs).toBeLessThan(4_900 + 2_600 + 3_000);
    },
  );

  it('[L-6.8] a snapshot that is larger than the limit is refused, and the answer names the limit', async () => {
    const { url } = await start(2_000, { maxSnapshotBytes: 1_000 });
    const client = await LiveTestClient.connect(url, {});
    expect(await client.request({ type: 'subscribe', id: 1, topic: 'large' })).toMatchObject({
      type: 'error',
      code: 'limit-exceeded',
      message: 'The snapshot of this topic is larger than 1000 bytes',
    });
  });
});
