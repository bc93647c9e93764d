import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClusterCount, LiveService } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { buildIfMissing } from './module/support/child.js';
import { onStreams } from './support/door.js';
import { InstanceProcess } from './support/cluster-process.js';
import { deferred } from './support/deferred.js';
import { engines } from './support/engines.js';
import { BearerIsUser, platforms, startLiveApp } from './support/live-app.js';
import { describeWith } from './support/programs.js';

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function reader(url: string, token: string, topic: string): Promise<LiveTestClient> {
  const client = await LiveTestClient.connect(url, { token });
  await client.request({ type: 'subscribe', id: 1, topic });
  return client;
}

describe.each(platforms)('commands on one instance, on %s', (_name, platform) => {
  it('[L-3.13] commands close, unsubscribe and count at once on one instance, and return what they did', async () => {
    const { live, url } = await startLiveApp({ platform, options: { instanceId: 'one' } });
    const [ann, bob] = [await reader(url, 'ann', 'open/1'), await reader(url, 'bob', 'open/1')];
    const counted = (total: number) => ({ total, byInstance: { one: total }, missing: [] });
    expect(await live.count('open/1')).toEqual(counted(2));
    expect(await live.unsubscribeUser('ann', 'open/1', { reason: 'moved' })).toEqual(counted(1));
    expect(await ann.nextOf('unsubscribed')).toEqual({
      type: 'unsubscribed',
      topic: 'open/1',
      code: 'forbidden',
      reason: 'moved',
    });
    expect(await live.reauthorize({ topic: 'open/1' })).toEqual(counted(0));
    expect(await live.disconnectUser('bob', { code: 4000, reason: 'come again' })).toEqual(counted(1));
    expect(await bob.closed).toEqual({ code: 4000, reason: 'come again' });
    await expect(live.disconnectUser('ann', { code: 1000 })).rejects.toMatchObject({
      code: 'validation-failed',
    });
    await expect(live.count('no topic')).rejects.toMatchObject({ code: 'validation-failed' });
    expect(live).toBeInstanceOf(LiveService);
  });
});

describe('a command while a handshake is pending', () => {
  it('[L-3.13] disconnectUser also closes a connection whose handshake began before it', async () => {
    const asked = deferred();
    const answer = deferred();
    @Injectable()
    class Slow implements CanActivate {
      async canActivate(context: ExecutionContext): Promise<boolean> {
        asked.resolve();
        await answer.promise;
        return new BearerIsUser().canActivate(context);
      }
    }
    const { live, url } = await startLiveApp({ guards: [Slow] });
    const coming = LiveTestClient.connect(url, { token: 'ann' });
    await asked.promise;
    expect(await live.disconnectUser('ann')).toMatchObject({ total: 0 });
    answer.resolve();
    expect(await (await coming).closed).toMatchObject({ code: 4503 });
    const again = await LiveTestClient.connect(url, { token: 'ann' });
    expect(await again.request({ type: 'ping', id: 1 })).toMatchObject({ type: 'pong' });
  });
});

/** Arrival times of events. Reader and publisher share this machine's clock. */
function arrivals(client: LiveTestClient): number[] {
  const times: number[] = [];
  client.socket.on('message', (data: Buffer) => {
    if (data.includes('"type":"event"')) times.push(Date.now());
  });
  return times;
}

// What instances say to each other does not depend on the door.
for (const { name, program, start } of onStreams ? [] : engines) {
  describeWith(program)(`commands on three instances with ${name}`, () => {
    beforeAll(buildIfMissing, 120_000);

    const startThree = async (last: object = {}) => {
      const engine = await start();
      const [a, b, c] = (await Promise.all([
        InstanceProcess.start({ id: 'a', engine: engine.url }),
        InstanceProcess.start({ id: 'b', engine: engine.url }),
        InstanceProcess.start({ id: 'c', engine: engine.url, ...last }),
      ])) as [InstanceProcess, InstanceProcess, InstanceProcess];
      return { engine, a, b, c };
    };

    it('[L-3.12] reauthorize ends a revoked right in a flow of publications within 1 s locally and 2 s remotely', async () => {
      const { a, b, c } = await startThree();
      const clients = [await reader(a.url, 'ann', 'room/1'), await reader(b.url, 'ann', 'room/1')];
      const bob = arrivals(await reader(b.url, 'bob', 'room/1'));
      const [here, there] = clients.map(arrivals) as [number[], number[]];
      await c.ask({ flood: 'room/1', everyMs: 1 });
      await wait(1_000);
      for (const instance of [a, b, c]) await instance.ask({ revoke: 'ann' });
      const revokedMs = Date.now();
      const result = await a.call<ClusterCount>('reauthorize', { user: 'ann' });
      await wait(3_000);
      expect(result).toEqual({ total: 2, byInstance: { a: 1, b: 1, c: 0 }, missing: [] });
      const after = (times: number[], ms: number): number => times.filter((at) => at > revokedMs + ms).length;
      const last = (times: number[]): number => (times.at(-1) ?? 0) - revokedMs;
      console.info(
        `last delivery after the command: here ${String(last(here))} ms, there ${String(last(there))} ms`,
      );
      expect([after(here, 1_000), after(there, 2_000)]).toEqual([0, 0]);
      expect(Math.min(here.length, there.length)).toBeGreaterThan(100);
      expect(after(bob, 2_000)).toBeGreaterThan(100);
    }, 60_000);

    it("[L-3.13] disconnectUser closes a user's connections on all instances, and names those that do not answer", async () => {
      const { a, b, c } = await startThree();
      const clients = await Promise.all([a, b, c, c].map(({ url }) => reader(url, 'ann', 'room/1')));
      expect(await b.call('count', 'room/1')).toEqual({
        total: 4,
        byInstance: { a: 1, b: 1, c: 2 },
        missing: [],
      });
      c.signal('SIGSTOP');
      const result = await a.call('disconnectUser', 'ann');
      expect(result).toEqual({ total: 2, byInstance: { a: 1, b: 1 }, missing: ['c'] });
      c.signal('SIGCONT');
      const resumedMs = Date.now();
      const how = { code: 4503, reason: 'disconnected by the application' };
      expect(await Promise.all(clients.map(({ closed }) => closed))).toEqual([how, how, how, how]);
      console.info(
        `the suspended instance closed them ${String(Date.now() - resumedMs)} ms after it resumed`,
      );
    }, 60_000);

    it('[L-3.12] the periodic re-check heals a reauthorize command that was lost', async () => {
      const { a, c } = await startThree({ deaf: true, options: { authorizationRecheckMs: 3_000 } });
      const ann = await reader(c.url, 'ann', 'room/1');
      await c.ask({ revoke: 'ann' });
      const revokedMs = Date.now();
      expect(await a.call('reauthorize', { user: 'ann' })).toMatchObject({
        total: 0,
        byInstance: { a: 0, b: 0 },
      });
      expect(await ann.nextOf('unsubscribed')).toMatchObject({ topic: 'room/1', code: 'forbidden' });
      console.info(
        `healed ${String(Date.now() - revokedMs)} ms after the revocation, with a re-check every 3000 ms`,
      );
      expect(Date.now() - revokedMs).toBeLessThan(4_000);
    }, 60_000);

    it('[L-3.13] a command acts locally while the engine is away, and remotely once it is back', async () => {
      const { engine, a, b } = await startThree();
      const [here, there] = [await reader(a.url, 'ann', 'room/1'), await reader(b.url, 'ann', 'room/1')];
      await engine.stop('SIGKILL');
      const askedMs = Date.now();
      const result = a.call<ClusterCount>('disconnectUser', 'ann');
      await here.closed;
      expect(Date.now() - askedMs).toBeLessThan(1_000);
      const { byInstance, missing } = await result;
      expect([byInstance, missing.toSorted()]).toEqual([{ a: 1 }, ['b', 'c']]);
      expect(there.socket.readyState).toBe(1);
      await engine.start();
      const startedMs = Date.now();
      expect(await there.closed).toMatchObject({ code: 4503 });
      console.info(`carried out ${String(Date.now() - startedMs)} ms after the engine was back`);
    }, 60_000);
  });
}
