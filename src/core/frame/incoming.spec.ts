import { describe, expect, it } from 'vitest';
import { TestLive } from '../../testing/test-live.js';

describe('large answers', () => {
  it.each([
    [60_000, ['subscribed']],
    [70_000, ['incoming', 'subscribed']],
  ])('[L-8.5] a snapshot of %i bytes is announced where it is large', async (length, types) => {
    const test = new TestLive({
      rulesFor: () => ({ canSubscribe: () => true, snapshot: () => 'x'.repeat(length) }),
    });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', id: 1, topic: 'a' });
    const messages = received() as { type: string; bytes?: number }[];
    expect(messages.map(({ type }) => type)).toEqual(types);
    if (types.length > 1) expect(messages[0]?.bytes).toBeGreaterThan(length);
  });
});
