import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ListenSocket } from './listen-socket.js';

function listener() {
  const written: Uint8Array[] = [];
  const socket = { writable: true, write: (bytes: Uint8Array) => written.push(bytes) };
  const stream = new ListenSocket({} as ServerResponse, socket as unknown as Socket, ['a/1']);
  return { stream, written, text: () => Buffer.concat(written).toString() };
}

const eventOf = (message: object): string => `data: ${JSON.stringify(message)}\n\n`;
const subscribed = { type: 'subscribed', topic: 'a/1', epoch: 'e', offset: 4 };

describe('ListenSocket', () => {
  it('[L-12.12] the events are the same, wherever the server has cut their bytes', () => {
    const events = [
      { ...subscribed, snapshot: 'größer' },
      { type: 'event', topic: 'a/1', offset: 5, data: 'a\n\nb' },
    ].map(eventOf);
    const bytes = Buffer.from(events.join(''));
    for (let at = 0; at <= bytes.byteLength; at++) {
      const { stream, text } = listener();
      stream.write(bytes.subarray(0, at));
      stream.write(bytes.subarray(at));
      expect(text(), String(at)).toBe(`id: e:4\n${events[0] ?? ''}id: e:5\n${events[1] ?? ''}`);
    }
  });

  it('[L-12.12] a listener queues the shared bytes of a large event, and no copy of them', () => {
    const { stream, written, text } = listener();
    const bytes = Buffer.from(eventOf({ ...subscribed, snapshot: 'x'.repeat(1_000_000) }));
    for (let at = 0; at < bytes.byteLength; at += 65_536) stream.write(bytes.subarray(at, at + 65_536));
    expect(text()).toBe(`id: e:4\n${bytes.toString()}`);
    const copied = written.filter(({ buffer }) => buffer !== bytes.buffer);
    expect(Buffer.concat(copied).toString()).toBe('id: e:4\n\n\n');
  });
});
