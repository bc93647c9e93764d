import { Component, createElement, StrictMode, Suspense, useEffect } from 'react';
import type { FunctionComponent, PropsWithChildren, ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { World } from '../../test/support/client-world.js';
import { reactRoot } from '../../test/support/react-root.js';
import { connect, type LiveClient } from '../client/index.js';
import {
  LiveProvider,
  useClient,
  useCollection,
  useLive,
  usePresence,
  usePublish,
  useStatus,
} from './react.js';
import { leaveAfterMs } from './shared.js';

let world: World;
beforeEach(() => {
  world = new World();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  // All tests of a process share the frame.
  await vi.advanceTimersByTimeAsync(16);
  vi.useRealTimers();
});

const start = (offset: number, snapshot?: unknown, topic = 'a') => ({
  type: 'subscribed',
  id: 1,
  topic,
  epoch: 'e',
  offset,
  recovered: false,
  ...(snapshot !== undefined && { snapshot }),
});
const event = (offset: number, key: string, data: unknown, topic = 'a') => ({
  type: 'event',
  topic,
  offset,
  data,
  key,
});

/** More than the time that a subscription outlives its last component. */
const aWhile = (): unknown => vi.advanceTimersByTimeAsync(leaveAfterMs + 1);
/** The messages on the wire since the last call. */
const wire = (): unknown[] =>
  world
    .take()
    .filter((line) => line.startsWith('> '))
    .map((line) => JSON.parse(line.slice(2)) as unknown);
const subscribe = (topic = 'a', id = 1) => ({ type: 'subscribe', id, topic, pages: true, entries: true });

const tree = (client: LiveClient, ...children: readonly FunctionComponent[]): ReactNode => {
  const all = children.map((each, key) => createElement(each, { key }));
  return createElement(StrictMode, null, createElement(LiveProvider, { client, children: all }));
};

/** A component that shows what a hook returns, and counts the effects of its renders. */
function shows(hook: () => unknown): FunctionComponent & { renders: number } {
  const component = Object.assign(
    () => {
      const value = hook();
      useEffect(() => void (component.renders += 1));
      return `${JSON.stringify(value, (_, it: unknown) => (it instanceof Map ? Object.fromEntries(it) : it))};`;
    },
    { renders: 0 },
  );
  return component;
}

const keys = () => shows(() => useCollection('a').data);

async function mounted(...children: readonly FunctionComponent[]) {
  const client = await world.openClient();
  const root = await reactRoot();
  await root.render(tree(client, ...children));
  /** The server sends messages, and the page shows the next frame. */
  const tell = (...messages: readonly Record<string, unknown>[]): Promise<void> =>
    root.act(async () => {
      await world.peer.tell(...messages);
      await vi.advanceTimersByTimeAsync(16);
    });
  return { client, root, tell };
}

describe('nestjs-live/react', () => {
  it('[L-3.2] strict mode mounts, unmounts and mounts again with one subscribe on the wire', async () => {
    const { root, client } = await mounted(keys());
    await root.act(aWhile);
    expect(wire()).toEqual([subscribe()]);
    await root.render(tree(client));
    expect(wire()).toEqual([]);
    await root.act(aWhile);
    expect(wire()).toEqual([{ type: 'unsubscribe', id: 2, topic: 'a' }]);
  });

  it('[L-3.2] components that show one topic share one subscription, which lasts from page to page', async () => {
    const { root, client, tell } = await mounted(keys(), keys());
    await tell(start(4, { x: 1 }));
    await root.render(tree(client));
    await root.act(() => vi.advanceTimersByTimeAsync(leaveAfterMs - 1));
    await root.render(tree(client, keys()));
    expect(root.text).toBe('{"x":1};');
    await root.act(aWhile);
    expect(wire()).toEqual([subscribe()]);
  });

  it('[L-4.1] a component renders once a frame, and shows the newest data', async () => {
    const both = shows(() => [useCollection('a').data, useLive('b').data, useStatus().state]);
    const all = [both, keys(), keys()] as const;
    const { root, tell } = await mounted(...all);
    await tell(start(0, {}), { ...start(0, 0, 'b'), id: 2 });
    for (const each of all) each.renders = 0;
    await tell(
      ...Array.from({ length: 50 }, (_, i) => event(i + 1, 'x', i)),
      ...Array.from({ length: 50 }, (_, i) => event(i + 1, 'y', i, 'b')),
    );
    expect(root.text).toBe('[{"x":49},49,"open"];{"x":49};{"x":49};');
    expect(all.map(({ renders }) => renders)).toEqual([1, 1, 1]);
  });

  it('[L-4.1] a result never changes, so all components of a render show the same one', async () => {
    const seen: ReadonlyMap<string, unknown>[] = [];
    const { tell } = await mounted(shows(() => void seen.push(useCollection('a').data)));
    await tell(start(0, { x: 0 }));
    const before = seen.at(-1);
    await world.peer.tell(event(1, 'x', 1));
    expect(before?.get('x')).toBe(0);
    await tell();
    expect([before?.get('x'), seen.at(-1)?.get('x')]).toEqual([0, 1]);
  });

  it('[L-4.3] a component that selects a key renders only if that key changes', async () => {
    const one = shows(() => useCollection('a', { select: ({ data }) => data.get('x') }));
    const made = shows(() => useCollection('a', { select: ({ data }) => ({ x: data.get('x') }) }));
    const { root, tell } = await mounted(one, made);
    await tell(start(0, { x: 0, y: 0 }));
    one.renders = made.renders = 0;
    await tell(event(1, 'y', 1));
    await tell(event(2, 'x', 2));
    expect([root.text, one.renders, made.renders]).toEqual(['2;{"x":2};', 1, 2]);
  });

  it('[L-5.2] a result tells whether it is ready, stale or has failed', async () => {
    const { root, tell } = await mounted(
      shows(() => {
        const { ready, stale, error } = useCollection('a');
        return [ready, stale, error?.message];
      }),
    );
    expect(root.text).toBe('[false,true,null];');
    await tell(start(0, {}));
    expect(root.text).toBe('[true,false,null];');
    await root.act(() => world.peer.end());
    await tell();
    expect(root.text).toBe('[true,true,null];');
  });

  it('[L-3.3] a refused subscribe is shown as its error, and asked again by the next component', async () => {
    const error = () => shows(() => useCollection('a').error?.message ?? 'none');
    const { root, client, tell } = await mounted(error());
    await tell({ type: 'error', id: 1, topic: 'a', code: 'forbidden', message: 'No' });
    expect(root.text).toBe('"No";');
    await root.render(tree(client));
    await root.render(tree(client, error()));
    expect(wire()).toEqual([subscribe('a', 1), subscribe('a', 2)]);
    await tell({ ...start(0, {}), id: 2 });
    await root.act(aWhile);
    expect([root.text, wire()]).toEqual(['"none";', []]);
  });

  it('a closed client and an invalid topic are shown as errors', async () => {
    const { root, client } = await mounted();
    client.close();
    const name = (topic: string) => shows(() => useLive(topic).error?.name);
    await root.render(tree(client, name('a'), name('no topic')));
    await root.act(() => vi.advanceTimersByTimeAsync(16));
    expect(root.text).toBe('"LiveClientError";"LiveClientError";');
  });

  it('a component without a topic subscribes to nothing, and another topic replaces the first', async () => {
    let topic: string | undefined;
    const { root, client, tell } = await mounted();
    const component = shows(() => useCollection(topic).data);
    const show = (next: string | undefined): Promise<void> => {
      topic = next;
      return root.render(tree(client, component));
    };
    await show(undefined);
    expect([root.text, wire()]).toEqual(['{};', []]);
    await show('a');
    await tell(start(0, { x: 1 }));
    expect([root.text, wire()]).toEqual(['{"x":1};', [subscribe('a')]]);
    await show('b');
    expect([root.text, wire()]).toEqual(['{};', [subscribe('b', 2)]]);
  });

  it('[L-6.1] `useLive` reduces publications, and states of one topic are apart by name', async () => {
    const sum = () =>
      shows(() => useLive('a', { initial: 0, apply: (n: number, { data }) => n + (data as number) }).data);
    const list = shows(
      () =>
        useLive('a', {
          name: 'list',
          initial: [] as readonly number[],
          apply: (all, { data }) => [...all, data as number],
        }).data,
    );
    const { root, tell } = await mounted(sum(), sum(), list);
    await tell(start(0), event(1, 'x', 3), event(2, 'x', 4));
    expect(root.text).toBe('7;7;[3,4];');
  });

  it('[L-11.4] `usePresence` shows the members in the order of their ids', async () => {
    const { root, tell } = await mounted(
      shows(() => usePresence('a').data.map(({ id, name }) => [id, name])),
    );
    const topic = 'a/presence';
    const change = (offset: number, kind: string, member: object) =>
      event(offset, 'k', { event: kind, member }, topic);
    await tell(
      start(3, [{ id: 'bob' }, { id: 'eve' }], topic),
      change(4, 'join', { id: 'ann', name: 'Ann' }),
      change(5, 'update', { id: 'bob', name: 'Bob' }),
      change(6, 'leave', { id: 'eve' }),
    );
    expect(root.text).toBe('[["ann","Ann"],["bob","Bob"]];');
  });

  it('[L-4.9] `usePublish` returns one function that publishes to the topic', async () => {
    const functions = new Set<(data: unknown) => Promise<unknown>>();
    const { root, client } = await mounted(shows(() => void functions.add(usePublish('a'))));
    await root.render(
      tree(
        client,
        shows(() => useClient() === client),
      ),
    );
    expect(functions.size).toBeLessThanOrEqual(2); // strict mode renders the first time twice
    void [...functions][0]?.(7).catch(() => {});
    expect(wire()).toMatchObject([{ type: 'publish', topic: 'a', data: 7 }]);
  });

  it('a hook without a provider says what is missing', () => {
    expect(() => renderToString(createElement(keys()))).toThrow('There is no <LiveProvider client={…}>');
  });

  it('the hooks open no connection on a server, and suspend nothing', () => {
    const platform = { ...world.platform, dialsOnUse: true };
    const client = connect('ws://live.test/live', { platform, webSocket: world.WebSocket });
    const suspended = shows(() => useCollection('a', { suspense: true }).data);
    const state = shows(() => [useStatus().state, usePresence('a').data, useLive('b').ready]);
    expect(renderToString(tree(client, suspended, state))).toBe(
      '{};<!-- -->[&quot;connecting&quot;,[],false];',
    );
    expect(world.peers).toEqual([]);
  });

  it('[L-3.2] a component suspends until the state is whole, with one subscribe', async () => {
    const content = shows(() => useCollection('a', { suspense: true }).data);
    const { root, tell } = await mounted(() =>
      createElement(Suspense, { fallback: 'wait;' }, createElement(content)),
    );
    expect(root.text).toBe('wait;');
    await root.act(aWhile);
    await root.act(() => world.peer.tell(start(0, { x: 1 })));
    expect(root.text).toBe('{"x":1};');
    await root.act(aWhile);
    await tell(event(1, 'x', 2));
    expect([root.text, wire()]).toEqual(['{"x":2};', [subscribe()]]);
  });

  it('[L-3.3] an error of a suspended component goes to its error boundary', async () => {
    class Boundary extends Component<PropsWithChildren, { readonly error?: Error }> {
      override state: { readonly error?: Error } = {};
      static getDerivedStateFromError(error: Error) {
        return { error };
      }
      override render(): ReactNode {
        return this.state.error?.message ?? this.props.children;
      }
    }
    vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const content = shows(() => useCollection('a', { suspense: true }).data);
    const { root } = await mounted(() =>
      createElement(Boundary, null, createElement(Suspense, { fallback: 'wait;' }, createElement(content))),
    );
    await root.act(() =>
      world.peer.tell({ type: 'error', id: 1, topic: 'a', code: 'forbidden', message: 'No' }),
    );
    expect(root.text).toBe('No');
  });
});
