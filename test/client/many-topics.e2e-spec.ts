import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type LiveClient, type WebSocketConstructor } from '../../src/client/index.js';
import { type LiveModuleOptions, LiveObservers, LiveTopic } from '../../src/index.js';
import { startLiveApp } from '../support/live-app.js';

interface Slowness {
  readonly checkMs?: number;
  readonly snapshotMs?: number;
  readonly options?: Partial<LiveModuleOptions>;
}

/** A server whose checks and snapshots take this long, and a client of it. */
async function start({ checkMs = 0, snapshotMs = 0, options = {} }: Slowness) {
  const asked: string[] = [];
  const inbound: string[] = [];
  @LiveTopic('slow/:name')
  class Slow {
    async canSubscribe(_user: unknown, { name = '' }: Readonly<Record<string, string>>): Promise<boolean> {
      asked.push(name);
      await sleep(checkMs);
      return true;
    }
  }
  @LiveTopic('state/:name')
  class WithState extends Slow {
    async snapshot(): Promise<string> {
      asked.push('snapshot');
      await sleep(snapshotMs);
      return 'state';
    }
  }
  const { app, url } = await startLiveApp({
    options: { dangerouslyPublic: true, ...options },
    guards: [],
    providers: [Slow, WithState],
  });
  let closes = 0;
  let refusals = 0;
  app.get(LiveObservers).add({
    inbound: (type) => void inbound.push(type),
    closed: () => void (closes += 1),
    tooFast: () => void (refusals += 1),
  });
  const client: LiveClient = connect(url, { webSocket: WebSocket as unknown as WebSocketConstructor });
  onTestFinished(() => client.close());
  return { client, asked, inbound, closes: () => closes, refusals: () => refusals };
}

describe('The client and a slow application', () => {
  it('[L-2.8] [L-3.14] 60 topics with checks of 300 ms start within 3 s, with 60 checks and one message', async () => {
    const { client, asked, inbound, closes } = await start({ checkMs: 300 });
    const names = Array.from({ length: 60 }, (_, i) => String(i));
    const startedMs = performance.now();
    const starts: string[] = [];
    for (const name of names)
      client.subscribe(`slow/${name}`, ({ type }) => void (type === 'start' && starts.push(name)));
    while (starts.length < 60) await sleep(5);
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    // Enough time for a duplicate to arrive.
    await sleep(500);
    expect([starts.length, asked, inbound, closes()]).toEqual([60, names, ['subscribe'], 0]);
  });

  it(
    '[L-3.4] a subscription with a check of 1 s and a snapshot of 9.5 s starts exactly once',
    { timeout: 30_000 },
    async () => {
      const { client, asked, closes } = await start({ checkMs: 1_000, snapshotMs: 9_500 });
      const seen: string[] = [];
      client.subscribe('state/1', ({ type }) => void seen.push(type));
      while (!seen.includes('start')) await sleep(20);
      await sleep(500);
      expect([seen, asked, closes()]).toEqual([['start'], ['1', 'snapshot'], 0]);
    },
  );

  it(
    '[L-3.14] [L-9.10] switching between dashboards of 100 topics every 2 s never meets the rate limit',
    { timeout: 60_000 },
    async () => {
      // The default rate of 20 messages a second, with a burst of hardly more than one switch
      // needs.
      const { client, inbound, closes, refusals } = await start({
        options: { inboundRate: { messageBurst: 20 }, maxTopicsPerConnection: 128 },
      });
      let started = 0;
      const show = (name: string): (() => void)[] =>
        Array.from({ length: 100 }, (_, i) =>
          client.subscribe(
            `slow/${name}-${String(i)}`,
            ({ type }) => void (started += Number(type === 'start')),
          ),
        ).map((subscription) => () => subscription.unsubscribe());
      let leave = show('0');
      for (let flip = 1; flip <= 4; flip++) {
        await sleep(2_000);
        // A machine that is busy with other work may take longer than 2 s.
        await expect.poll(() => started, { timeout: 10_000 }).toBe(100 * flip);
        for (const each of leave) each();
        leave = show(String(flip));
      }
      await expect.poll(() => started, { timeout: 10_000 }).toBe(500);
      await sleep(500);
      expect([started, refusals(), closes()]).toEqual([500, 0, 0]);
      expect(inbound.filter((type) => type !== 'ping')).toEqual([
        'subscribe',
        ...Array.from({ length: 4 }, () => ['unsubscribe', 'subscribe']).flat(),
      ]);
    },
  );
});
