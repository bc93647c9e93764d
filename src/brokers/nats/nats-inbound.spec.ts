import type { Msg } from '@nats-io/transport-node';
import { expect, it } from 'vitest';
import { type BrokerSink, silentSink } from '../../core/ports/broker.js';
import { NatsInbound } from './nats-inbound.js';
import { NatsSubjects } from './nats-subjects.js';
import type { StoreLife } from './store-life.js';
import { encode } from './stored-message.js';
import type { TopicLog } from './topic-log.js';

it('a publication that arrives while the life record is being read makes readers check instead of being delivered', async () => {
  const subjects = new NatsSubjects('live');
  const seen: string[] = [];
  let answer = (): void => {};
  const life = {
    record: { stream: 's', life: 4 },
    announced: () => {},
    refresh: () =>
      new Promise<void>((resolve) => {
        answer = resolve;
      }),
  };
  const sink: BrokerSink = {
    ...silentSink,
    publication: (_topic, epoch, { offset }) => seen.push(`${epoch} ${String(offset)}`),
    suspect: (topic) => seen.push(`suspect ${String(topic)}`),
  };
  const inbound = new NatsInbound({
    connection: { available: true, sink, subscriptions: { topicOf: () => 't' } },
    subjects,
    log: { isKnown: () => true } as unknown as TopicLog,
    life: life as unknown as StoreLife,
    instanceId: 'i',
    giveWay: () => {},
    failed: () => {},
  });
  const publish = (top: number): void => {
    const head = { epoch: 'e4', life: 4, lineage: [], top, refs: [], tail: 0 };
    const data = encode({
      ...head,
      publications: [{ offset: top, data: '0' }],
      kept: true,
      remembered: false,
    });
    inbound.message(subjects.outlet('t'), { data } as unknown as Msg);
  };
  publish(1);
  inbound.message(subjects.lives, {} as Msg);
  publish(2);
  answer();
  await new Promise(setImmediate);
  publish(3);
  expect(seen).toEqual(['e4 1', 'suspect t', 'e4 3']);
});
