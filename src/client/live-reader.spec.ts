import { describe, expect, it } from 'vitest';
import { World } from '../../test/support/client-world.js';
import { connectReader } from './index.js';

describe('connectReader', () => {
  it('[L-5.3] a reader subscribes, recovers after a cut, and closes', async () => {
    const world = new World();
    const reader = connectReader<{ a: number }>('ws://live.test/live', {
      platform: world.platform,
      webSocket: world.WebSocket,
    });
    reader.on('status', ({ state }) => world.log.push(`status ${state}`));
    await world.settle();
    await world.peer.welcome();
    const subscription = reader.subscribe('a', world.app);
    await world.settle();
    await world.peer.tell({ type: 'subscribed', id: 1, topic: 'a', epoch: 'e', offset: 7, recovered: false });
    await world.peer.tell({ type: 'published', id: 9, topic: 'a', epoch: 'e', offset: 7 });
    world.take();
    await world.peer.end();
    await world.advance(750);
    await world.peer.welcome();
    await world.peer.tell({ type: 'subscribed', id: 2, topic: 'a', epoch: 'e', offset: 8, recovered: true });
    await world.peer.tell({ type: 'event', topic: 'a', offset: 8, data: 3 });
    expect(world.take().filter((entry) => /^[>e]/.test(entry))).toEqual([
      '> {"type":"subscribe","id":2,"topic":"a","since":{"epoch":"e","offset":7}}',
      'event a@e:8 3',
    ]);
    subscription.unsubscribe();
    reader.close();
    expect(reader.state).toBe('closed');
    expect(world.timerCount).toBe(0);
  });
});
