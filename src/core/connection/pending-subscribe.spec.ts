import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';
import { PendingSubscribe } from './pending-subscribe.js';

/**
 * Returns rejections that were unhandled during `run`, as Node detects them at the end of a turn.
 */
async function unhandledIn(run: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const listener = (error: unknown): unknown => unhandled.push(error);
  process.on('unhandledRejection', listener);
  await run();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', listener);
  return unhandled;
}

describe('PendingSubscribe', () => {
  it('[L-3.7] a canceled subscribe throws at once and leaves no unhandled rejection', async () => {
    const pending = new PendingSubscribe();
    pending.leave();
    const unhandled = await unhandledIn(async () => {
      const late = new Promise<never>((_resolve, reject) => {
        setImmediate(() => reject(new Error('the database is away')));
      });
      await expect(pending.until(late)).rejects.toThrow('The subscribe was canceled');
    });
    expect(unhandled).toEqual([]);
  });

  it('[L-3.7] [L-3.4] an authorization that fails after its peer has left causes no unhandled rejection', async () => {
    const unhandled = await unhandledIn(async () => {
      const test = new TestLive({
        rulesFor: () => ({
          canSubscribe: async (user) => {
            test.live.registry.disconnect(user?.id ?? '');
            await Promise.resolve();
            throw new Error('the database is away');
          },
        }),
      });
      await test.connect().send({ type: 'subscribe', topic: 't' });
      expect(test.live.stats()).toMatchObject({ connections: 0, topics: 0, subscriptions: 0 });
    });
    expect(unhandled).toEqual([]);
  });
});
