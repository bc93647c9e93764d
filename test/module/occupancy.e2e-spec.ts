import { beforeAll, describe, expect, it, vi } from 'vitest';
import { LiveTopic } from '../../src/index.js';
import { LiveTestClient } from '../../src/testing/index.js';
import { InstanceProcess } from '../support/cluster-process.js';
import { engines } from '../support/engines.js';
import { platforms, startLiveApp } from '../support/live-app.js';
import { describeWith } from '../support/programs.js';
import { buildIfMissing } from './support/child.js';

const subscribe = (client: LiveTestClient, topic: string) =>
  client.request({ type: 'subscribe', id: topic, topic });

class Open {
  canSubscribe(): boolean {
    return true;
  }
}

describe.each(platforms)('Topics that know when they are read, on %s', (_name, platform) => {
  it('a class hears of the first subscriber and of the last, with the parameters of the topic', async () => {
    const heard: unknown[] = [];
    @LiveTopic('feed/:id', { occupancy: { graceMs: 50 } })
    class Feeds extends Open {
      onOccupied(params: { id: string }, topic: string): void {
        heard.push(['occupied', params, topic]);
      }
      async onVacated(params: { id: string }): Promise<void> {
        heard.push(['vacated', params]);
      }
    }
    const { live, url } = await startLiveApp({ platform, providers: [Feeds] });
    const clients = await Promise.all([1, 2].map(() => LiveTestClient.connect(url, { token: 'ann' })));
    for (const client of clients) await subscribe(client, 'feed/7');
    expect([live.occupied(), live.occupied('other/*'), live.stats().keptTopics]).toEqual([['feed/7'], [], 1]);
    for (const client of clients) client.socket.terminate();
    await vi.waitFor(() => expect(live.stats().keptTopics).toBe(0), 5_000);
    expect(heard).toEqual([
      ['occupied', { id: '7' }, 'feed/7'],
      ['vacated', { id: '7' }],
    ]);
    expect(() => live.occupied('a/**/b')).toThrow('is no topic pattern');
  });

  it('a polled topic publishes what its snapshot has changed, while somebody reads', async () => {
    let calls = 0;
    const state: Record<string, number> = { a: 1, b: 1 };
    @LiveTopic('state', { poll: { everyMs: 20, byKey: true } })
    class States extends Open {
      snapshot(): object {
        calls += 1;
        return state;
      }
    }
    const { url } = await startLiveApp({ platform, providers: [States] });
    const client = await LiveTestClient.connect(url, { token: 'ann' });
    await subscribe(client, 'state');
    const events = () => client.transcript.filter(({ type }) => type === 'event');
    await vi.waitFor(() => expect(events()).toHaveLength(2), 5_000);
    state['b'] = 2;
    delete state['a'];
    await vi.waitFor(() => expect(events()).toHaveLength(4), 5_000);
    expect(events().map(({ key, data, removed }) => [key, removed ?? data])).toEqual([
      ['a', 1],
      ['b', 1],
      ['b', 2],
      ['a', true],
    ]);
    const late = await LiveTestClient.connect(url, { token: 'ann' });
    expect(await subscribe(late, 'state')).toMatchObject({ snapshot: { b: 2 } });
    for (const each of [client, late]) each.socket.terminate();
    await vi.waitFor(async () => {
      const before = calls;
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(calls).toBe(before);
    }, 5_000);
  });

  class WithState extends Open {
    snapshot(): number {
      return 1;
    }
  }

  it.each([
    ['occupancy: false', { occupancy: false }, WithState, 'occupancy of Wrong'],
    ['a negative grace', { occupancy: { graceMs: -1 } }, WithState, 'occupancy.graceMs of Wrong'],
    ['a poll without a time', { poll: {} }, WithState, 'poll.everyMs of Wrong'],
    ['a poll that is too fast', { poll: { everyMs: 1 } }, WithState, 'poll.everyMs of Wrong'],
    ['a poll with a wrong byKey', { poll: { everyMs: 10, byKey: 1 } }, WithState, 'poll.byKey of Wrong'],
    ['a poll and no snapshot()', { poll: { everyMs: 10 } }, Open, 'the class has no snapshot()'],
    ['a poll and a rule', { poll: { everyMs: 10 }, snapshot: 'last' }, WithState, '"poll" and the option'],
  ])('the app does not start with %s', async (_what, options, Base, problem) => {
    @LiveTopic('wrong', options as never)
    class Wrong extends Base {}
    await expect(startLiveApp({ platform, providers: [Wrong] })).rejects.toThrow(problem);
  });
});

interface Told {
  readonly heard: readonly string[];
  readonly asked: Readonly<Record<string, number>>;
}

for (const { name, program, start } of engines) {
  describeWith(program)(`Topics that know when they are read, on three instances with ${name}`, () => {
    beforeAll(buildIfMissing, 120_000);

    it('one instance hears of an occupancy and polls, and another one continues after kill -9', async () => {
      const engine = (await start()).url;
      const instances = await Promise.all(['a', 'b', 'c'].map((id) => InstanceProcess.start({ id, engine })));
      await new Promise((resolve) => setTimeout(resolve, 500));
      const clients = await Promise.all(
        instances.map(({ url }) => LiveTestClient.connect(url, { token: 'ann Ann', timeoutMs: 15_000 })),
      );
      await Promise.all(clients.map((client) => subscribe(client, 'feed/1')));
      await Promise.all(clients.map((client) => subscribe(client, 'state/1')));
      const told = () => Promise.all(instances.map((instance) => instance.ask<Told>({})));
      await vi.waitFor(async () => {
        const all = await told();
        expect(all.flatMap(({ heard }) => heard)).toEqual(['feed/1 occupied']);
        expect(Math.max(...all.map(({ asked }) => asked['state/1'] ?? 0))).toBeGreaterThan(3);
      }, 8_000);
      expect((await told()).filter(({ asked }) => asked['state/1'] !== undefined)).toHaveLength(1);
      for (const instance of instances)
        expect(await instance.call('occupied')).toEqual(['feed/1', 'state/1']);

      const index = (await told()).findIndex(({ heard }) => heard.length > 0);
      const [killed] = instances.splice(index, 1);
      clients.splice(index, 1);
      killed?.signal('SIGKILL');
      await vi.waitFor(
        async () => expect((await told()).flatMap(({ heard }) => heard)).toEqual(['feed/1 occupied']),
        8_000,
      );
      await vi.waitFor(async () => {
        expect((await told()).filter(({ asked }) => (asked['state/1'] ?? 0) > 1)).toHaveLength(1);
      }, 8_000);

      for (const client of clients) client.socket.terminate();
      await vi.waitFor(async () => {
        const heard = (await told()).flatMap((each) => each.heard);
        expect(heard).toEqual(['feed/1 occupied', 'feed/1 vacated']);
        for (const instance of instances) expect(await instance.call('occupied')).toEqual([]);
      }, 8_000);
    }, 60_000);
  });
}
