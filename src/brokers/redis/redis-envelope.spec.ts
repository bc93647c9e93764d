import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRedisEnvelope } from './redis-envelope.js';
import { RedisInbound } from './redis-inbound.js';
import { maxSignalBytes, silentSink } from '../../core/ports/broker.js';

const envelope = (epoch: string, offset: number, data: string, key?: string): Buffer =>
  Buffer.from(
    `1 ${epoch} ${String(offset)} ${key === undefined ? '-' : String(Buffer.byteLength(key))} ${key ?? ''}${data}`,
  );

describe('readRedisEnvelope', () => {
  it('the reader understands what the script writes, whatever the key and the data contain', () => {
    const keys = fc.option(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), { nil: undefined });
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1 }), fc.jsonValue(), keys, (epoch, offset, value, key) => {
        const data = JSON.stringify(value);
        const publication = { offset, data, ...(key !== undefined && { key }) };
        expect(readRedisEnvelope(envelope(epoch, offset, data, key))).toEqual({ epoch, publication });
      }),
    );
  });

  it.each([
    ['no content', ''],
    ['another version', '2 e 1 - 1'],
    ['no data', '1 e 1 - '],
    ['data that is not JSON', '1 e 1 - {"a":'],
    ['data that would break out of a frame', '1 e 1 - 1},{"type":"event"'],
    ['an offset of 0', '1 e 0 - 1'],
    ['an offset that a double cannot represent', '1 e 9007199254740993 - 1'],
    ['a negative offset', '1 e -1 - 1'],
    ['an epoch that is too long', `1 ${'e'.repeat(65)} 1 - 1`],
    ['no epoch', '1  1 - 1'],
    ['a key longer than the message', '1 e 1 99 1'],
    ['a key of no length', '1 e 1 0 1'],
    ['a key that is too long', `1 e 1 129 ${'k'.repeat(129)}1`],
  ])('the reader rejects a message with %s', (_what, text) => {
    expect(readRedisEnvelope(Buffer.from(text))).toBeUndefined();
  });
});

const connectionTo = (topic: string) => ({
  sink: silentSink,
  subscriptions: { topicOf: () => topic },
});

describe('RedisInbound', () => {
  it('20,000 random and mutated messages are counted, and none throws', () => {
    const connection = connectionTo('t');
    const inbound = new RedisInbound(connection, 'signals', 1_000);
    let delivered = 0;
    connection.sink = {
      ...silentSink,
      publication(_topic, epoch, { offset, data }) {
        expect([epoch.length > 0, Number.isSafeInteger(offset)]).toEqual([true, true]);
        JSON.parse(data);
        delivered += 1;
      },
      signal() {
        delivered += 1;
      },
    };
    const good = envelope('7e0c', 12, '{"a":[1,2]}', 'k');
    for (let i = 0; i < 20_000; i++) {
      const bytes = i % 2 === 0 ? randomBytes(i % 300) : Buffer.from(good);
      if (i % 2 === 1) bytes[i % bytes.length] = i % 256;
      inbound.message(i % 5 === 0 ? 'signals' : 'channel', bytes);
    }
    expect(inbound.junkTotal + delivered).toBe(20_000);
    expect(inbound.junkTotal).toBeGreaterThan(10_000);
  });

  it('a message larger than a publication may be is dropped unread', () => {
    const connection = connectionTo('t');
    const inbound = new RedisInbound(connection, 'signals', 100);
    connection.sink = { ...silentSink, publication: () => expect.unreachable() };
    inbound.message('channel', envelope('e', 1, JSON.stringify('x'.repeat(2_000))));
    expect(inbound.junkTotal).toBe(1);
  });

  it('signals of the known version are delivered up to the maximum size', () => {
    const connection = connectionTo('t');
    const inbound = new RedisInbound(connection, 'signals', 100);
    const texts: string[] = [];
    connection.sink = { ...silentSink, signal: (text) => void texts.push(text) };
    const longest = 'x'.repeat(maxSignalBytes);
    for (const text of ['1 hello', '2 hello', 'hello', `1 ${longest}`, `1 ${longest}x`])
      inbound.message('signals', Buffer.from(text));
    expect([texts, inbound.junkTotal]).toEqual([['hello', longest], 3]);
  });
});
