import { beforeEach, describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';

let world: World;
beforeEach(() => {
  world = new World();
});

const subscribed = (id: number, offset: number, recovered = false) => ({
  type: 'subscribed',
  id,
  topic: 'a',
  epoch: 'e',
  offset,
  recovered,
});
const event = (offset: number, more: object = {}) => ({
  type: 'event',
  topic: 'a',
  offset,
  data: offset,
  ...more,
});

/** Only the messages that the client sent and the application saw. */
const seen = (): string[] => world.take().filter((entry) => !entry.startsWith('<'));

describe('maxRate', () => {
  it('[L-4.8] maxRate is sent, and events that cover several publications leave no gap', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app, { maxRate: 2 });
    await world.peer.tell(subscribed(1, 4), event(5), event(9, { from: 6 }));
    expect(seen()).toEqual([
      '> {"type":"subscribe","id":1,"topic":"a","maxRate":2}',
      'start a@e:4',
      'event a@e:5 5',
      'event a@e:9 from 6 9',
    ]);
  });

  it('[L-4.8] maxRate can be changed on an open subscription, which resumes from its position', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a', world.app, { maxRate: 2 });
    await world.peer.tell(subscribed(1, 4), event(5));
    seen();
    subscription.setMaxRate(10);
    // Events in flight at the change are repeated.
    await world.peer.tell(event(6), subscribed(2, 5, true), event(6), event(7));
    subscription.setMaxRate(undefined);
    subscription.setMaxRate(undefined);
    await world.peer.tell(subscribed(3, 7, true));
    expect(seen()).toEqual([
      '> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":5},"maxRate":10}',
      'event a@e:6 6',
      'event a@e:7 7',
      '> {"type":"subscribe","id":3,"topic":"a","since":{"epoch":"e","offset":7}}',
    ]);
  });

  it('[L-4.8] the highest maxRate of several subscriptions is sent, also after one joins or leaves', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app, { maxRate: 2 });
    await world.peer.tell(subscribed(1, 4));
    const fast = client.subscribe('a', world.app, { maxRate: 5 });
    await world.peer.tell(subscribed(2, 4, true));
    fast.unsubscribe();
    const asked = world.take().filter((entry) => entry.startsWith('>'));
    expect(asked.map((entry) => (JSON.parse(entry.slice(2)) as { maxRate: number }).maxRate)).toEqual([
      2, 5, 2,
    ]);
  });

  it('[L-4.8] a maxRate that changes during a request is sent after its answer', async () => {
    const client = await world.openClient();
    const subscription = client.subscribe('a', world.app);
    subscription.setMaxRate(3);
    await world.peer.tell(subscribed(1, 4));
    expect(seen()).toEqual([
      '> {"type":"subscribe","id":1,"topic":"a"}',
      'start a@e:4',
      '> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":4},"maxRate":3}',
    ]);
  });

  it('[L-4.8] maxRate is sent again on a new connection', async () => {
    const client = await world.openClient();
    client.subscribe('a', world.app, { maxRate: 2 });
    await world.peer.tell(subscribed(1, 4));
    await world.peer.end();
    await world.advance(750);
    await world.peer.welcome();
    expect(world.take().at(-1)).toBe(
      '> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":4},"maxRate":2}',
    );
  });

  it.each([0, -1, 2_000, NaN])('subscribe refuses the maxRate %d', async (maxRate) => {
    const client = await world.openClient();
    expect(() => client.subscribe('a', world.app, { maxRate })).toThrow(RangeError);
  });
});
