import { describe, expect, it } from 'vitest';
import { drainProgress } from '../../test/support/drain-progress.js';
import { silentObserver } from './ports/observer.js';
import { TestLive, type TestLiveOptions } from '../testing/test-live.js';
import { TestSocket } from '../testing/test-socket.js';

class BrokenSocket extends TestSocket {
  override write(): void {
    throw new Error('cannot be written to');
  }
}

const counting = () => {
  const counts = { opened: 0, closed: 0 };
  const observer = {
    ...silentObserver,
    opened: () => void (counts.opened += 1),
    closed: () => void (counts.closed += 1),
  };
  return { counts, observer };
};

/** Connects, expects that this throws, and returns the socket. */
function refused(options: TestLiveOptions, socket = new TestSocket(), user?: object) {
  const test = new TestLive(options);
  expect(() => test.connect({ socket, ...(user !== undefined && { user: user as never }) })).toThrow();
  return { test, socket };
}

describe('Live.accept', () => {
  it('a peer whose welcome cannot be written leaves nothing behind, and neither its start nor its end is announced', async () => {
    const { counts, observer } = counting();
    const { test, socket } = refused({ observer }, new BrokenSocket());
    expect([test.live.registry.size, test.live.registry.userCount, socket.terminated]).toEqual([0, 0, true]);
    expect(counts).toEqual({ opened: 0, closed: 0 });
    expect(await test.live.drain(1_000)).toEqual(drainProgress());
  });

  it('a peer whose observer throws leaves nothing behind, and the end is announced if the start was', async () => {
    const { counts, observer } = counting();
    const opened = (): never => {
      counts.opened += 1;
      throw new Error('the observer failed');
    };
    const { test, socket } = refused({ observer: { ...observer, opened } });
    expect([test.live.registry.size, test.live.registry.userCount, socket.terminated]).toEqual([0, 0, true]);
    expect(counts).toEqual({ opened: 1, closed: 1 });
    expect(await test.live.drain(1_000)).toEqual(drainProgress());
  });

  it('a user whose id cannot be serialized leaves nothing behind', () => {
    const { test } = refused({}, new TestSocket(), { id: 7n });
    expect([test.live.registry.size, test.live.registry.userCount]).toEqual([0, 0]);
  });

  it('[L-10.1] a drain completes although an observer throws at the end of each connection', async () => {
    const closed = (): never => {
      throw new Error('the observer failed');
    };
    const test = new TestLive({ observer: { ...silentObserver, closed } });
    test.connect();
    test.connect();
    expect(await test.live.drain(20_000)).toEqual(drainProgress({ connections: 2, closed: 2 }));
    expect(test.live.registry.size).toBe(0);
  });
});
