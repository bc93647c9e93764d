import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import type { LifeRecord } from './life-record.js';
import type { NatsEngine } from './nats-engine.js';
import type { StoreLife } from './store-life.js';
import { type Content, encode } from './stored-message.js';
import type { RawMessage } from './raw-message.js';
import { TopicLog } from './topic-log.js';

const record: LifeRecord = {
  stream: 's',
  seq: 12,
  since: 12,
  atMs: 0,
  life: 5,
  epoch: 'e5',
  before: [{ life: 4, epoch: 'e4', seq: 1 }],
  servers: new Map(),
  restarts: new Map(),
};

/** A message of the previous life with one publication, number `top`, after the messages `refs`. */
const message = (top: number, refs: readonly number[], epoch = 'e4'): Content => ({
  epoch,
  life: 4,
  lineage: [],
  top,
  refs,
  tail: top,
  publications: [{ offset: top, data: String(top) }],
  kept: true,
  remembered: false,
});

/** A log on a stream with these messages. */
function logOf(messages: ReadonlyMap<number, Content>): TopicLog {
  const rawOf = (seq: number): RawMessage | undefined => {
    const content = messages.get(seq);
    return content && { stream: 's', subject: 't', seq, atMs: 0, data: encode(content) };
  };
  const last = Math.max(...messages.keys());
  const stream = {
    last: async () => ({ stream: 's', message: rawOf(last) }),
    get: async (seq: number) => rawOf(seq),
    isOf: () => true,
  };
  const life = { record, current: async () => record, saw: () => {} } as unknown as StoreLife;
  return new TopicLog(() => ({ stream }) as unknown as NatsEngine, life, new TestClock(), { junk: () => {} });
}

describe('The end of a topic with appends of an instance unaware of a new life', () => {
  it('the topic continues the positions stored when the life began, and no later ones of the old epoch', async () => {
    const messages = new Map([
      [10, message(1, [])],
      [11, message(2, [10])],
      [13, message(3, [11, 10])],
      [14, message(4, [13, 11, 10])],
    ]);
    expect(await logOf(messages).end('t')).toMatchObject({
      epoch: 'e5',
      top: 4,
      lineage: [{ epoch: 'e4', end: 2 }],
    });
  });

  it.each([
    ['has another offset', message(1, [])],
    ['has another epoch', message(2, [10], 'e9')],
    ['has other messages before it', message(2, [9])],
  ])('the topic continues nothing if the message that it should follow %s', async (_how, before) => {
    const messages = new Map([
      [10, message(1, [])],
      [11, before],
      [13, message(3, [11, 10])],
    ]);
    expect(await logOf(messages).end('t')).toMatchObject({ epoch: 'e5', top: 3, lineage: [] });
  });
});
