import { expect, it } from 'vitest';
import { Live } from '../src/core/live.js';
import { countOf, instancesOnRedis, movingClients, publishing } from './support/moving-clients.js';
import { describeWith, redisServer } from './support/programs.js';

const clients = 30;

// A handshake on a busy machine may take longer than the time that the server gives.
const busy = { timeout: 60_000, retry: 3 };

describeWith(redisServer)('Two instances on Redis, one of which is stopped', () => {
  it(
    '[L-10.7] every client moves once the other instance has answered, without a moment offline, and receives each publication once and in order',
    busy,
    async () => {
      const instance = await instancesOnRedis();
      const options = { drainWindowMs: 5_000 };
      const [leaving, staying] = [await instance({ options }), await instance({ options })];
      let { url } = leaving;
      const all = await movingClients(clients, () => url);
      url = staying.url;
      const publisher = publishing(staying.live, all);
      const { drain } = await leaving.app.close().then(() => leaving.app.get(Live).stats());
      const everything = await publisher.stop();
      const moved = ['handshake', 'subscribed', 'close draining'];
      for (const { heard, states, steps } of all)
        // The answer to the close closes once more.
        expect([heard, states, steps.slice(0, 3)]).toEqual([everything, ['open'], moved]);
      expect(drain).toMatchObject({ connections: clients, left: clients, closed: 0, terminated: 0 });
      expect(countOf(staying)).toBe(clients);
    },
  );
});

describeWith(redisServer)('Three instances on Redis, replaced in turn', () => {
  it(
    '[L-10.7] every client receives each publication once and in order, and dials once for each instance that it has to leave',
    busy,
    async () => {
      const instance = await instancesOnRedis();
      const options = { drainWindowMs: 1_000 };
      const publishes = await instance({ options });
      let running = [await instance({ options }), await instance({ options }), await instance({ options })];
      let dialed = 0;
      const all = await movingClients(3 * clients, () => running[dialed++ % running.length]?.url ?? '');
      const publisher = publishing(publishes.live, all);
      for (let restart = 0; restart < 3; restart++) {
        const [oldest] = running;
        const mine = all.map(({ steps }) => steps.length);
        running = [...running.slice(1), await instance({ options })];
        await oldest?.app.close();
        for (const [i, { steps }] of all.entries())
          expect(steps.slice(mine[i]).filter((step) => step === 'handshake').length).toBeLessThanOrEqual(1);
      }
      const everything = await publisher.stop();
      for (const { heard, states } of all) {
        expect(heard).toEqual(everything);
        expect(states.filter((state) => state !== 'open')).toEqual([]);
      }
      expect(running.map(countOf).reduce((one, other) => one + other)).toBe(3 * clients);
    },
  );
});
