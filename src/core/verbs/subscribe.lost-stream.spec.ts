import { describe, expect, it } from 'vitest';
import type { MemoryBroker } from '../../brokers/memory/memory-broker.js';
import { TestLive } from '../../testing/test-live.js';
import type { Broker, BrokerSink } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';

/**
 * A broker whose answers and deliveries are made up by the test. `read` returns the given positions
 * in order.
 */
function scripted(tops: readonly Position[], whileReading: (sink: BrokerSink, nth: number) => void) {
  let sink: BrokerSink | undefined;
  let reads = 0;
  return (memory: MemoryBroker): Broker =>
    Object.assign(Object.create(memory) as Broker, {
      start: (given: BrokerSink) => (sink = given),
      read: async () => {
        const top = tops[Math.min(reads, tops.length - 1)];
        if (sink) whileReading(sink, reads++);
        return { top, missed: undefined };
      },
    });
}

async function transcript(broker: (memory: MemoryBroker) => Broker): Promise<unknown[]> {
  const test = new TestLive({ broker });
  const { send, received } = test.connect();
  await send({ type: 'subscribe', topic: 't' });
  return received();
}

const subscribed = ({ epoch, offset }: Position) => ({
  type: 'subscribed',
  topic: 't',
  epoch,
  offset,
  recovered: false,
});
const event = (offset: number, data: string) => ({ type: 'event', topic: 't', offset, data });
const fresh: Position = { epoch: 'new', offset: 1 };

describe('Subscribe, while the stream is lost', () => {
  it('[L-3.10] [L-4.2] publications held from a lost stream are not sent as if they belonged to the new one', async () => {
    // The broker still delivers for the previous subscription, which is being closed.
    const broker = scripted([fresh], (sink, nth) => {
      if (nth > 0) return;
      for (const offset of [1, 2]) sink.publication('t', 'old', { offset, data: '"of the old"' });
    });
    expect(await transcript(broker)).toEqual([subscribed(fresh)]);
  });

  it('[L-3.10] publications held from the new stream after the old one are sent', async () => {
    const broker = scripted([fresh], (sink, nth) => {
      if (nth > 0) return;
      sink.publication('t', 'old', { offset: 7, data: '"of the old"' });
      sink.publication('t', 'new', { offset: 2, data: '"of the new"' });
    });
    expect(await transcript(broker)).toEqual([subscribed(fresh), event(2, 'of the new')]);
  });

  it('[L-3.10] a subscribe whose position was read before the loss starts over, and gives up the second time', async () => {
    const lost = (times: number) =>
      scripted([{ epoch: 'old', offset: 4 }, fresh], (sink, nth) => {
        if (nth < times) sink.publication('t', `newer-${String(nth)}`, { offset: 1, data: '"of the newer"' });
      });
    expect(await transcript(lost(1))).toEqual([subscribed(fresh)]);
    expect(await transcript(lost(2))).toMatchObject([{ type: 'error', code: 'unavailable' }]);
  });
});
