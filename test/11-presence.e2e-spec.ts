import { beforeAll, describe, expect, it } from 'vitest';
import { type PresenceMember, LiveTopic } from '../src/index.js';
import type { LiveUser } from '../src/index.js';
import { LiveTestClient } from '../src/testing/index.js';
import { buildIfMissing } from './module/support/child.js';
import { onStreams } from './support/door.js';
import { InstanceProcess } from './support/cluster-process.js';
import { platforms, startLiveApp } from './support/live-app.js';
import { engines } from './support/engines.js';
import { describeWith } from './support/programs.js';

@LiveTopic('room/:id', { presence: { fields: ({ id }) => ({ shout: id.toUpperCase() }), graceMs: 100 } })
class Rooms {
  canSubscribe(user: LiveUser | null, { id }: { id: string }): boolean {
    return id !== 'closed' && user !== null;
  }
}

@LiveTopic('plain')
class Plain {
  canSubscribe(): boolean {
    return true;
  }
}

const subscribe = (client: LiveTestClient, topic: string) =>
  client.request({ type: 'subscribe', id: topic, topic });

/** Milliseconds until `check` passes. Throws its last error after `limitMs`. */
async function until(check: () => void | Promise<void>, limitMs: number): Promise<number> {
  const start = performance.now();
  for (;;) {
    try {
      await check();
      return performance.now() - start;
    } catch (error) {
      if (performance.now() - start > limitMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

describe.each(platforms)('presence, on %s', (_name, platform) => {
  it('[L-11.2] presence exists only for topics that declare it, and counts a user with three tabs as one member', async () => {
    const { live, url } = await startLiveApp({ platform, providers: [Rooms, Plain] });
    const watcher = await LiveTestClient.connect(url, { token: 'eve' });
    expect(await subscribe(watcher, 'room/1/presence')).toMatchObject({ snapshot: [] });
    expect(await subscribe(watcher, 'room/closed/presence')).toMatchObject({ code: 'forbidden' });
    expect(await subscribe(watcher, 'plain/presence')).toMatchObject({ code: 'forbidden' });
    const tabs = await Promise.all([1, 2, 3].map(() => LiveTestClient.connect(url, { token: 'ann' })));
    for (const tab of tabs) await subscribe(tab, 'room/1');
    expect(live.presence('room/1')).toEqual([{ id: 'ann', shout: 'ANN', connections: 3 }]);
    expect(live.stats().presenceMembers).toBe(1);
    for (const tab of tabs) tab.socket.terminate();
    await until(() => expect(live.presence('room/1')).toEqual([]), 2_000);
    await watcher.settle();
    expect(
      watcher.transcript.filter(({ type }) => type === 'event').map(({ data, key }) => ({ data, key })),
    ).toEqual(
      ['join', 'leave'].map((event) => ({
        data: { event, member: { id: 'ann', shout: 'ANN' } },
        key: 'ann',
      })),
    );
    expect(() => live.presence('plain')).toThrow('presence');
    await expect(live.publish('room/1/presence', {})).rejects.toMatchObject({ code: 'validation-failed' });
  });

  it('[L-11.1] the app does not start if a topic hides the presence of another topic', async () => {
    @LiveTopic('room/:room/presence')
    class Hidden extends Plain {}
    await expect(startLiveApp({ platform, providers: [Rooms, Hidden] })).rejects.toThrow(
      "@LiveTopic('room/:room/presence') Hidden is where the members of @LiveTopic('room/:id') Rooms are told",
    );
  });

  it.each([
    ['false', false, 'presence of Wrong'],
    ['an invalid time', { graceMs: -1 }, 'presence.graceMs of Wrong'],
    ['an array of fields', { fields: ['name'] }, 'presence.fields of Wrong'],
  ])('the app does not start with %s as the presence option', async (_what, presence, named) => {
    @LiveTopic('wrong', { presence: presence as never })
    class Wrong extends Plain {}
    await expect(startLiveApp({ platform, providers: [Wrong] })).rejects.toThrow(named);
  });
});

// What instances say to each other does not depend on the door.
for (const { name, program, start } of onStreams ? [] : engines) {
  describeWith(program)(`presence on several instances with ${name}`, () => {
    beforeAll(buildIfMissing, 120_000);

    it('[L-11.6] presence is correct within 6 s after kill -9, even for a user that moved to another instance', async () => {
      const engine = (await start()).url;
      const [a, b, c] = (await Promise.all(
        ['a', 'b', 'c'].map((id) => InstanceProcess.start({ id, engine })),
      )) as [InstanceProcess, InstanceProcess, InstanceProcess];
      const watcher = await LiveTestClient.connect(a.url, { token: 'eve', timeoutMs: 15_000 });
      await subscribe(watcher, 'room/1/presence');
      for (const [{ url }, token] of [
        [a, 'ann Ann'],
        [b, 'ann Ann'],
        [b, 'bob Bob'],
        [b, 'dan Dan'],
        [c, 'cid Cid'],
      ] as const)
        await subscribe(await LiveTestClient.connect(url, { token }), 'room/1');
      const members = (instance: InstanceProcess) => instance.call<PresenceMember[]>('presence', 'room/1');
      const all = [
        { id: 'ann', name: 'Ann', connections: 2 },
        { id: 'bob', name: 'Bob', connections: 1 },
        { id: 'cid', name: 'Cid', connections: 1 },
        { id: 'dan', name: 'Dan', connections: 1 },
      ];
      for (const each of [a, b, c]) await until(async () => expect(await members(each)).toEqual(all), 3_000);
      b.signal('SIGKILL');
      const killedMs = performance.now();
      await subscribe(await LiveTestClient.connect(c.url, { token: 'dan Dan' }), 'room/1');
      const left = all.map((each) => ({ ...each, connections: 1 })).filter(({ id }) => id !== 'bob');
      for (const each of [a, c]) await until(async () => expect(await members(each)).toEqual(left), 8_000);
      const tookMs = performance.now() - killedMs;
      console.info(`presence was right ${String(Math.round(tookMs))} ms after kill -9`);
      // One extra second for a busy machine.
      expect(tookMs).toBeLessThan(7_000);
      await watcher.settle();
      const events = watcher.transcript
        .filter(({ type }) => type === 'event')
        .map(({ data }) => data as { event: string });
      expect(events.filter(({ event }) => event !== 'join')).toEqual([
        { event: 'leave', member: { id: 'bob', name: 'Bob' } },
      ]);
      expect(events).toHaveLength(5);
    }, 60_000);

    it('[L-11.6] presence heals when a suspended instance resumes', async () => {
      const engine = (await start()).url;
      const options = { instanceTimeoutMs: 1_500 };
      const [a, b] = (await Promise.all(
        ['a', 'b'].map((id) => InstanceProcess.start({ id, engine, options })),
      )) as [InstanceProcess, InstanceProcess];
      for (const [{ url }, token] of [
        [a, 'ann Ann'],
        [b, 'bob Bob'],
      ] as const)
        await subscribe(await LiveTestClient.connect(url, { token }), 'room/1');
      const ids = async (instance: InstanceProcess) =>
        (await instance.call<PresenceMember[]>('presence', 'room/1')).map(({ id }) => id).join();
      for (const each of [a, b]) await until(async () => expect(await ids(each)).toBe('ann,bob'), 3_000);
      b.signal('SIGSTOP');
      await until(async () => expect(await ids(a)).toBe('ann'), 4_000);
      b.signal('SIGCONT');
      // The clock of the suspended instance did not stop, but it must not consider the others dead.
      expect(await ids(b)).toBe('ann,bob');
      const tookMs = await until(async () => expect(await ids(a)).toBe('ann,bob'), 10_000);
      console.info(`presence was whole ${String(Math.round(tookMs))} ms after the instance went on`);
      expect(await ids(b)).toBe('ann,bob');
    }, 60_000);

    it('[L-11.5] a client that moves because its instance stops causes no presence event', async () => {
      const engine = (await start()).url;
      const [a, b] = (await Promise.all(['a', 'b'].map((id) => InstanceProcess.start({ id, engine })))) as [
        InstanceProcess,
        InstanceProcess,
      ];
      const watcher = await LiveTestClient.connect(a.url, { token: 'eve' });
      await subscribe(watcher, 'room/1/presence');
      const ann = await LiveTestClient.connect(b.url, { token: 'ann Ann' });
      const bob = await LiveTestClient.connect(b.url, { token: 'bob Bob' });
      for (const client of [ann, bob]) await subscribe(client, 'room/1');
      await watcher.nextOf('event');
      await until(async () => expect(await a.call('presence', 'room/1')).toHaveLength(2), 3_000);
      b.signal('SIGTERM');
      await ann.closed;
      await subscribe(await LiveTestClient.connect(a.url, { token: 'ann Ann' }), 'room/1');
      await until(
        async () =>
          expect(await a.call('presence', 'room/1')).toEqual([{ id: 'ann', name: 'Ann', connections: 1 }]),
        5_000,
      );
      await watcher.settle();
      const events = watcher.transcript
        .filter(({ type }) => type === 'event')
        .map(({ data }) => data as object);
      expect(events.slice(2)).toEqual([{ event: 'leave', member: { id: 'bob', name: 'Bob' } }]);
    }, 60_000);
  });
}
