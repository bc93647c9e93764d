import { describe, expect, it } from 'vitest';
import { FrameTexts } from '../../testing/sim/frame-texts.js';
import { TestLive } from '../../testing/test-live.js';
import { announced, SharedFrame } from './shared-frame.js';

describe('large answers', () => {
  it.each([
    [60_000, ['subscribed']],
    [70_000, ['incoming', 'subscribed']],
  ])('[L-8.5] a snapshot of %i bytes is announced only if it is large', async (length, types) => {
    const test = new TestLive({
      rulesFor: () => ({ canSubscribe: () => true, snapshot: () => 'x'.repeat(length) }),
    });
    const { send, received } = test.connect();
    await send({ type: 'subscribe', id: 1, topic: 'a' });
    const messages = received() as { type: string; bytes?: number }[];
    expect(messages.map(({ type }) => type)).toEqual(types);
    if (types.length > 1) expect(messages[0]?.bytes).toBeGreaterThan(length);
  });

  it('[L-8.6] the fragments of a large answer contain its text and count as one message', () => {
    const text = JSON.stringify('ü€😀'.repeat(30_000));
    const [announcement, ...fragments] = announced(new SharedFrame(text));
    expect(fragments.map(({ bytes }) => bytes[0])).toEqual([0x01, 0x00, 0x00, 0x00, 0x80]);
    expect(fragments.map(({ messages }) => messages)).toEqual([0, 0, 0, 0, 1]);
    expect(fragments.every(({ isFragment }) => isFragment)).toBe(true);
    expect(announcement?.isFragment).toBe(false);
    const reader = new FrameTexts();
    expect(fragments.flatMap(({ bytes }) => reader.read(bytes))).toEqual([text]);
  });
});
