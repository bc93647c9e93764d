import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { connect, type LiveClient, type WebSocketConstructor } from '../../src/client/index.js';
import { ConnectionRegistry, LiveObservers, LiveTopic, type LiveModuleOptions } from '../../src/index.js';
import { startLiveApp } from '../support/live-app.js';
import { insideOf } from '../support/inside-of.js';

@LiveTopic('history/*', { history: { size: 10 } })
class WithHistory {
  canSubscribe(): boolean {
    return true;
  }
}

async function start(options: LiveModuleOptions = {}) {
  const { app, url, live } = await startLiveApp({
    options: { dangerouslyPublic: true, ...options },
    guards: [],
    providers: [WithHistory],
  });
  const tooFast: string[] = [];
  app.get(LiveObservers).add({ tooFast: (_connection, result) => void tooFast.push(result) });
  const registry = app.get(ConnectionRegistry);
  const client = connect(url, {
    webSocket: WebSocket as unknown as WebSocketConstructor,
    backoff: { minMs: 20, maxMs: 100 },
  });
  client.reconnect();
  onTestFinished(() => client.close());
  const topics = (): number => [...registry].reduce((sum, connection) => sum + connection.topics.length, 0);
  return { live, registry, client, tooFast, topics };
}

/** Subscribes to the topics and counts their messages by type. */
function follow(client: LiveClient, names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) {
    client.subscribe(name, ({ type }) => counts.set(type, (counts.get(type) ?? 0) + 1));
  }
  return counts;
}

/** Lets a turn pass: what an application requests in one turn goes out in one message. [L-3.14] */
const nextTurn = (): Promise<void> => new Promise((done) => void setImmediate(done));

const names = Array.from({ length: 128 }, (_, i) => `history/${String(i)}`);

describe('The client and the server’s limits', () => {
  it('[L-9.10] a client with 128 topics resumes all of them at once after a cut with the default limits', async () => {
    const { live, client, registry, tooFast, topics } = await start();
    const counts = follow(client, names);
    while (counts.get('start') !== 128) await sleep(5);
    for (let round = 1; round <= 3; round++) {
      for (const connection of registry) insideOf(connection).terminate(1006, 'cut');
      for (const name of names) await live.publish(name, round);
      while (counts.get('event') !== 128 * round) await sleep(5);
    }
    expect([...counts]).toEqual([
      ['start', 128],
      ['event', 384],
    ]);
    expect([topics(), tooFast]).toEqual([128, []]);
  });

  it('[L-9.11] a client that is rate limited subscribes to all its topics in the end and misses nothing', async () => {
    const { live, client, tooFast, topics } = await start({
      inboundRate: { messagesPerSecond: 50, messageBurst: 20 },
    });
    const few = names.slice(0, 80);
    while (client.state !== 'open') await sleep(5);
    const counts = new Map<string, number>();
    for (const name of few) {
      client.subscribe(name, ({ type }) => counts.set(type, (counts.get(type) ?? 0) + 1));
      await nextTurn();
    }
    while (counts.get('start') !== 80) await sleep(5);
    expect(tooFast.length).toBeGreaterThan(20);
    expect(tooFast).not.toContain('closed');
    for (const name of few) await live.publish(name, 1);
    while (counts.get('event') !== 80) await sleep(5);
    expect(topics()).toBe(80);
  });

  it('[L-9.11] a client that is rate limited unsubscribes from all its topics in the end', async () => {
    const { client, tooFast, topics } = await start({
      inboundRate: { messagesPerSecond: 50, messageBurst: 20 },
    });
    const few = names.slice(0, 80);
    const subscriptions = few.map((name) => client.subscribe(name, () => {}));
    while (topics() < 80) await sleep(5);
    for (const subscription of subscriptions) {
      subscription.unsubscribe();
      await nextTurn();
    }
    while (topics() > 0) await sleep(5);
    expect(tooFast.length).toBeGreaterThan(0);
    expect(tooFast).not.toContain('closed');
  });
});
