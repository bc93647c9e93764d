import { describe, expect, it } from 'vitest';
import { announced, SharedFrame } from './shared-frame.js';
import { eventStream } from './event-bytes.js';

const eventOf = (frame: SharedFrame): string => frame.for(eventStream).bytes.toString();

describe('events of a stream', () => {
  it('[L-12.3] a message is one event, made once for all its readers', () => {
    const frame = new SharedFrame('{"type":"pong"}');
    expect(eventOf(frame)).toBe('data: {"type":"pong"}\n\n');
    expect(frame.for(eventStream)).toBe(frame.for(eventStream));
    expect(frame.for(eventStream).messages).toBe(1);
    expect(frame.bytes.subarray(2).toString()).toBe('{"type":"pong"}');
  });

  it('[L-12.3] line ends between the tokens of a message do not end its event', () => {
    expect(eventOf(new SharedFrame('{\n"a":\r\n"\\n"}'))).toBe('data: { "a":  "\\n"}\n\n');
  });

  it.each([125, 126, 65_535, 65_536])('[L-12.3] a message of %i bytes is whole', (length) => {
    const text = JSON.stringify('x'.repeat(length - 2));
    expect(eventOf(new SharedFrame(text))).toBe(`data: ${text}\n\n`);
  });

  it('[L-12.3] joined messages stay one event each, and are counted', () => {
    const joined = SharedFrame.join(['{"a":1}', '{"b":2}'].map((text) => new SharedFrame(text, true)));
    expect(eventOf(joined)).toBe('data: {"a":1}\n\ndata: {"b":2}\n\n');
    expect(joined.for(eventStream).messages).toBe(2);
  });

  it('[L-12.3] the fragments of a large message are parts of one event', () => {
    const text = JSON.stringify('ä'.repeat(100_000));
    const [incoming, ...parts] = announced(new SharedFrame(text)).map((frame) => frame.for(eventStream));
    expect(incoming?.bytes.toString()).toMatch(/^data: \{"type":"incoming","bytes":\d+\}\n\n$/);
    expect(Buffer.concat(parts.map(({ bytes }) => bytes)).toString()).toBe(`data: ${text}\n\n`);
    expect(parts.map(({ messages, isFragment }) => [messages, isFragment])).toEqual([
      [0, true],
      [0, true],
      [0, true],
      [1, true],
    ]);
  });
});
