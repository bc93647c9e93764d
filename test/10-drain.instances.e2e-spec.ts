import { expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { RedisBroker } from '../src/brokers/redis/index.js';
import { connect, type LiveStatus, type WebSocketConstructor } from '../src/client/index.js';
import { Live } from '../src/core/live.js';
import { LiveTopic } from '../src/index.js';
import { sleep, until } from './brokers/support/waiting.js';
import { startLiveApp } from './support/live-app.js';
import { describeWith, redisServer } from './support/programs.js';
import { RedisServer } from './support/redis-server.js';

const clients = 30;
const topic = 'news/1';

@LiveTopic('news/*', { history: { size: 1_000 } })
class News {
  canSubscribe(): boolean {
    return true;
  }
}

describeWith(redisServer)('Two instances on Redis, one of which is stopped', () => {
  // A handshake on a busy machine may take longer than the time that the server gives.
  const busy = { timeout: 60_000, retry: 3 };

  it(
    '[L-10.7] every client moves once the other instance has answered, without a moment offline, and receives each publication once and in order',
    busy,
    async () => {
      const redis = await RedisServer.start();
      onTestFinished(() => redis.stop());
      const instance = () =>
        startLiveApp({
          options: { broker: new RedisBroker({ url: redis.url }), drainWindowMs: 5_000 },
          providers: [News],
        });
      const [leaving, staying] = [await instance(), await instance()];
      await until(
        'both are available',
        () => [leaving, staying].every(({ app }) => app.get(Live).available),
        10_000,
      );
      let { url } = leaving;
      const all = Array.from({ length: clients }, () => {
        const heard: unknown[] = [];
        const states: LiveStatus['state'][] = [];
        /** What happened on the sockets, in order. */
        const steps: string[] = [];
        class Balanced extends WebSocket {
          constructor(_url: string, protocols: string[]) {
            super(url, protocols, { headers: { authorization: 'Bearer ann' } });
            this.on('message', (data: Buffer) => {
              if (String(data).includes('"type":"subscribed"')) steps.push('subscribed');
            });
          }

          override close(code?: number, reason?: string): void {
            steps.push(`close ${String(reason)}`);
            super.close(code, reason);
          }
        }
        const client = connect('ws://balanced.invalid', {
          webSocket: Balanced as unknown as WebSocketConstructor,
        });
        onTestFinished(() => client.close());
        const started = new Promise<void>((resolve) => {
          client.subscribe(topic, (message) => {
            if (message.type === 'start') resolve();
            else heard.push(message.type === 'event' ? message.data : message.type);
          });
        });
        return { client, heard, states, steps, started };
      });
      await Promise.all(all.map(({ started }) => started));
      for (const { client, states } of all) client.on('status', ({ state }) => void states.push(state));
      url = staying.url;
      let sent = 0;
      const publisher = { isOver: false };
      const publishing = (async () => {
        for (; !publisher.isOver; await sleep(10)) await staying.live.publish(topic, sent++);
      })();
      const { drain } = await leaving.app.close().then(() => leaving.app.get(Live).stats());
      publisher.isOver = true;
      await publishing;
      const everything = Array.from({ length: sent }, (_, i) => i);
      await until('everybody has everything', () => all.every(({ heard }) => heard.length >= sent), 10_000);
      const moved = ['subscribed', 'subscribed', 'close draining'];
      for (const { heard, states, steps } of all)
        // The answer to the close closes once more.
        expect([heard, states, steps.slice(0, 3)]).toEqual([everything, ['open'], moved]);
      expect(drain).toMatchObject({ connections: clients, left: clients, closed: 0, terminated: 0 });
      expect(staying.app.get(Live).registry.size).toBe(clients);
    },
  );
});
