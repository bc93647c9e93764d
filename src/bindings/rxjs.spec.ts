import { firstValueFrom, map, type Observable, type Subscription } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bindingWorld, event, start } from '../../test/support/binding-world.js';
import { fromCollection, fromPresence, fromState, fromStatus, fromTopic } from './rxjs.js';
import { leaveAfterMs } from './shared.js';

function log<T>(observable: Observable<T>): {
  readonly seen: unknown[];
  readonly subscription: Subscription;
} {
  const seen: unknown[] = [];
  const subscription = observable.subscribe({
    next: (value) => seen.push(value),
    error: (error: Error) => seen.push(error.message),
    complete: () => seen.push('complete'),
  });
  return { seen, subscription };
}

describe('nestjs-live/rxjs', () => {
  it('[L-3.2] [L-3.6] `fromTopic` is cold, and its subscribers share one subscription on the server', async () => {
    const { client, tell, wire } = await bindingWorld();
    const topic = fromTopic(client, 'a').pipe(map(({ type }) => type));
    expect(wire()).toEqual([]);
    const first = log(topic);
    await tell(start(4), event(5, 'x', 1));
    const second = log(topic);
    await tell(event(6, 'x', 2));
    expect([first.seen, second.seen]).toEqual([
      ['start', 'event', 'event'],
      ['start', 'event'],
    ]);
    first.subscription.unsubscribe();
    expect(wire()).toMatchObject([{ type: 'subscribe' }]);
    second.subscription.unsubscribe();
    await tell();
    expect(wire()).toMatchObject([{ type: 'unsubscribe' }]);
  });

  it('[L-3.3] `fromTopic` errors if the server refuses, and completes when the client is closed', async () => {
    const { client, tell } = await bindingWorld();
    const refused = log(fromTopic(client, 'a'));
    await tell({ type: 'error', id: 1, topic: 'a', code: 'forbidden', message: 'No' });
    const open = log(fromTopic(client, 'b'));
    client.close();
    expect([refused.seen, open.seen]).toEqual([['No'], ['complete']]);
    expect(log(fromTopic(client, 'c')).seen).toEqual(['The client is closed']);
  });

  it('[L-4.1] `fromCollection` emits at most once a frame, from one collection for all subscribers', async () => {
    const { client, tell, pass, wire } = await bindingWorld();
    const entries = fromCollection(client, 'a').pipe(map(({ data }) => Object.fromEntries(data)));
    const both = [log(entries), log(entries)];
    await tell(start(0, { x: 0 }));
    await tell(event(1, 'x', 1), event(2, 'x', 2), event(3, 'y', 3));
    for (const { seen, subscription } of both) {
      expect(seen).toEqual([{}, { x: 0 }, { x: 2, y: 3 }]);
      subscription.unsubscribe();
    }
    expect(await firstValueFrom(entries)).toEqual({ x: 2, y: 3 });
    await pass(leaveAfterMs + 1);
    expect(wire()).toMatchObject([{ type: 'subscribe' }, { type: 'unsubscribe' }]);
  });

  it('[L-6.1] `fromState`, `fromPresence` and `fromStatus` emit the value now, and each later one', async () => {
    const { client, tell, cut } = await bindingWorld();
    const sum = fromState(client, 'a', { initial: 0, apply: (n: number, { data }) => n + (data as number) });
    const newest = fromState(client, 'a', { maxRate: 5 });
    const both = [sum, newest].map((each) => log(each.pipe(map(({ data }) => data))));
    const status = log(fromStatus(client).pipe(map(({ state }) => state)));
    await tell(start(0), event(1, 'x', 3), event(2, 'x', 4));
    await cut();
    await tell();
    expect(both.map(({ seen }) => seen)).toEqual([
      [0, 7, 7],
      [undefined, 4, 4],
    ]);
    expect(status.seen).toEqual(['open', 'waiting']);
    expect(await firstValueFrom(fromPresence(client, 'a'))).toMatchObject({ data: [], ready: false });
  });
});
