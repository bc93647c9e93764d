import { describe, expect, it } from 'vitest';
import { EventReader, type StreamEvent } from './event-reader.js';

const stream =
  'event: session\ndata: x.y\n\n: a comment\n\ndata: {"a":1}\n\ndata: {"b\nevent: close\ndata: {"code":1001}\n\n';

describe('EventReader', () => {
  it.each([1, 2, 3, 7, 1_000])('[L-12.3] [L-12.6] a stream in pieces of %i is the same events', (size) => {
    const events: StreamEvent[] = [];
    const reader = new EventReader((event) => events.push(event));
    for (let at = 0; at < stream.length; at += size) reader.read(stream.slice(at, at + size));
    expect(events.filter(({ data }) => data !== '')).toEqual([
      { name: 'session', data: 'x.y' },
      { name: 'message', data: '{"a":1}' },
      { name: 'close', data: '{"b\n{"code":1001}' },
    ]);
  });
});
