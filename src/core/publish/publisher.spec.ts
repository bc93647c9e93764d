import { describe, expect, it } from 'vitest';
import { MemoryBroker } from '../../brokers/memory/memory-broker.js';
import { LossyBroker } from '../../../test/support/lossy-broker.js';
import { TestClock } from '../../testing/test-clock.js';
import { silentSink } from '../ports/broker.js';
import type { LiveError } from '../../protocol/live.error.js';
import { silentObserver } from '../ports/observer.js';
import { PublishRefusal, tooLarge } from '../ports/publish-refusal.js';
import type { PublishQueueLimits } from '../ports/limits.js';
import { Publisher } from './publisher.js';

const rules = { canSubscribe: () => true, canPublish: () => true };
const limits: PublishQueueLimits = { maxMessages: 3, maxBytes: 100, maxWaitMs: 5_000 };

/** A publisher whose broker has just become unavailable, with the outcome of each publication. */
function away(queue: PublishQueueLimits | null = limits) {
  const clock = new TestClock();
  const memory = new MemoryBroker({}, clock);
  const broker = new LossyBroker(memory);
  const timers = clock.timerCount;
  const publisher = new Publisher(broker, silentObserver, clock, queue ?? undefined);
  broker.start({ ...silentSink, availability: (available) => publisher.availability(available) });
  void memory.subscribe('a');
  const ended: string[] = [];
  const publish = async (topic: string, text: string): Promise<void> => {
    publisher.publishOrWait(topic, text, {}, rules).then(
      ({ offset }) => ended.push(`${topic} ${text} is ${String(offset)}`),
      ({ code, details }: { code: string; details: object }) =>
        ended.push(`${topic} ${text} is ${code} ${JSON.stringify(details)}`),
    );
    await clock.settle();
  };
  broker.goAway();
  return { clock, broker, publisher, ended, publish, timers: () => clock.timerCount - timers - 1 };
}

const refused = (what: string): string => `${what} is unavailable {"retryAfterMs":1000}`;

describe('Publisher, while the broker is away', () => {
  it('[L-5.11] without a queue, publications are refused at once', async () => {
    const { publish, ended, broker } = away(null);
    await publish('a', '1');
    expect([ended, broker.calls]).toEqual([[refused('a 1')], []]);
  });

  it('[L-5.11] a publication of a client never waits, because its next message would wait as well', async () => {
    const { publisher } = away();
    await expect(publisher.publish('a', '1', {}, rules)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('queued publications are sent in order once the broker is back, and before later ones', async () => {
    const { publish, ended, broker, publisher, clock, timers } = away();
    for (const text of ['1', '2', '3', '4']) await publish('a', text);
    expect([ended, publisher.waitingCount]).toEqual([[refused('a 4')], 3]);
    broker.comeBack();
    await publish('a', '5');
    await clock.settle();
    expect(ended.slice(1).toSorted()).toEqual(['a 1 is 1', 'a 2 is 2', 'a 3 is 3', 'a 5 is 4']);
    expect([publisher.waitingCount, timers()]).toEqual([0, 0]);
  });

  it('nothing overtakes the queue even before the publisher is notified that the broker is back', async () => {
    const { publish, ended, broker, clock } = away();
    await publish('a', '1');
    broker.available = true;
    await publish('a', '2');
    await clock.settle();
    expect(ended.toSorted()).toEqual(['a 1 is 1', 'a 2 is 2']);
  });

  it('the queue counts UTF-8 bytes', async () => {
    const { publish, ended, publisher } = away();
    await publish('a', `"${'€'.repeat(32)}"`);
    await publish('a', '123');
    expect(ended).toEqual([refused('a 123')]);
    expect(publisher.waitingCount).toBe(1);
  });

  it('a queued publication is refused after its maximum wait, which frees its place', async () => {
    const { publish, ended, clock, broker, timers } = away();
    await publish('a', '1');
    clock.advance(3_000);
    for (const text of ['2', '3']) await publish('a', text);
    clock.advance(1_999);
    await clock.settle();
    expect(ended).toEqual([]);
    clock.advance(1);
    await clock.settle();
    expect(ended).toEqual([refused('a 1')]);
    await publish('a', '4');
    clock.advance(3_000);
    await clock.settle();
    broker.comeBack();
    await clock.settle();
    expect(ended.slice(1)).toEqual([refused('a 2'), refused('a 3'), 'a 4 is 1']);
    expect(timers()).toBe(0);
  });

  it('stopping the server refuses every queued publication', async () => {
    const { publish, ended, publisher, clock, timers } = away();
    for (const text of ['1', '2']) await publish('a', text);
    publisher.stop();
    await clock.settle();
    expect([ended, timers()]).toEqual([[refused('a 1'), refused('a 2')], 0]);
  });

  it('every queued publication settles even if the broker goes away again while they are sent', async () => {
    const { publish, ended, broker, clock, publisher } = away();
    for (const text of ['1', '2', '3']) await publish('a', text);
    broker.carries = (_topic, { offset }) => {
      if (offset === 2) broker.goAway();
      return true;
    };
    broker.comeBack();
    await clock.settle();
    expect(ended.toSorted()).toEqual(['a 1 is 1', 'a 2 is 2', refused('a 3')]);
    expect(publisher.waitingCount).toBe(0);
  });
});

describe('Publisher, with a broker that refuses', () => {
  const failing = async (error: Error, publish = (): Promise<never> => Promise.reject(error)) => {
    const failed: string[] = [];
    const broker = new LossyBroker(new MemoryBroker({}, new TestClock()));
    broker.publish = publish;
    const observer = { ...silentObserver, failed: (doing: string) => void failed.push(doing) };
    const publisher = new Publisher(broker, observer, new TestClock());
    const { code, message } = await publisher.publishOrWait('a', '1', {}, rules).then(
      () => expect.unreachable(),
      (answer: LiveError) => answer,
    );
    return { code, message, failed };
  };

  it('[L-4.3] a publication that the broker never accepts gets limit-exceeded and is not a failure', async () => {
    const words = 'A publication may have at most 5 bytes; this one has 6';
    expect(await failing(tooLarge(5, 6))).toEqual({ code: 'limit-exceeded', message: words, failed: [] });
  });

  it('a publication that the broker does not accept now gets unavailable, and the failure is reported', async () => {
    const { code, failed } = await failing(new PublishRefusal('refused', 'Its memory is full'));
    expect([code, failed]).toEqual(['unavailable', ['publishing to the broker']]);
  });

  it('a broker that throws is answered for like one that rejects', async () => {
    const error = new Error('a broker of the application');
    const throwing = (): never => {
      throw error;
    };
    expect(await failing(error, throwing)).toEqual(await failing(error));
  });
});

describe('Publisher of a topic that bounds its publications', () => {
  it.each([
    ['"aaaaaa"', undefined],
    ['"ääa"', undefined],
    ['"aaaaaaa"', 9],
    ['"ääää"', 10],
  ])('[L-9.19] maxPublicationBytes accepts 8 bytes of JSON text and no more: %s', async (text, tooMany) => {
    const clock = new TestClock();
    const broker = new MemoryBroker({}, clock);
    const publisher = new Publisher(broker, silentObserver, clock);
    broker.start(silentSink);
    const bounded = { ...rules, maxPublicationBytes: 8 };
    for (const publish of ['publish', 'publishOrWait'] as const) {
      const outcome = publisher[publish]('a', text, {}, bounded).then(
        () => undefined,
        ({ code, message }: LiveError) => [code, message],
      );
      expect(await outcome).toEqual(
        tooMany && [
          'limit-exceeded',
          `A publication of a has at most 8 bytes of JSON text, and this one has ${String(tooMany)}`,
        ],
      );
    }
    expect(publisher.publicationsTotal).toBe(tooMany === undefined ? 2 : 0);
  });
});
