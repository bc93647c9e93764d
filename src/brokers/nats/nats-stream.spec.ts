import { JetStreamApiError, type JetStreamManager } from '@nats-io/jetstream';
import { expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { waitForRemoval } from './nats-stream.js';
import { NatsSubjects } from './nats-subjects.js';

it.each([
  ['waits a second for its files to be removed', undefined, 1],
  ['does not wait if another stream has its name', ['live.in.a1.*'], 0],
])('waitForRemoval on a missing stream %s', async (_what, subjects, timers) => {
  const notFound = new JetStreamApiError({ code: 404, err_code: 10_059, description: 'stream not found' });
  const info = async (): Promise<unknown> => {
    if (subjects === undefined) throw notFound;
    return { config: { subjects } };
  };
  const jsm = { streams: { info } } as unknown as JetStreamManager;
  const clock = new TestClock();
  const waiting = waitForRemoval(jsm, new NatsSubjects('live'), { name: 'LIVE', root: 'live' }, clock);
  await new Promise(setImmediate);
  expect(clock.timerCount).toBe(timers);
  clock.advance(1_000);
  await waiting;
});
