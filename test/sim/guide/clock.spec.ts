import { deliveryFaults, TestLive } from '../../../src/testing/index.js';
import { expect, it } from 'vitest';

const history = { size: 10, ttlMs: 60_000, maxBytes: 100_000 };

it('a subscriber recovers for a minute, and learns when it is too late', async () => {
  const test = new TestLive({ rulesFor: () => ({ history }) });
  const position = await test.publish('orders/north', 'seen');
  await test.publish('orders/north', 'missed');
  const comeBack = async () => {
    const peer = test.connect({ user: { id: 'ann' } });
    await peer.send({ type: 'subscribe', topic: 'orders/north', since: position });
    return peer.received();
  };

  test.clock.advance(60_000);
  expect(await comeBack()).toMatchObject([{ recovered: true }, { offset: 2, data: 'missed' }]);
  test.clock.advance(1);
  expect(await comeBack()).toMatchObject([{ recovered: false, offset: 2 }]);
});

it('a pending subscribe loses nothing, and fails after the timeout', async () => {
  let allow = (_yes: boolean): void => {};
  const test = new TestLive({
    rulesFor: () => ({
      canSubscribe: () =>
        new Promise((resolve) => {
          allow = resolve;
        }),
    }),
  });
  const [patient, unlucky] = [test.connect(), test.connect()];
  await patient.send({ type: 'subscribe', topic: 'orders/north' });
  await test.publish('orders/north', 1);
  allow(true);
  await test.publish('orders/north', 2);
  expect(deliveryFaults(patient.received())).toEqual([]);

  await unlucky.send({ type: 'subscribe', topic: 'orders/north' });
  test.clock.advance(5_000);
  await test.clock.settle();
  expect(unlucky.received()).toMatchObject([{ type: 'error', code: 'unavailable' }]);
});
