import { describe, expect, it } from 'vitest';
import { TestCluster } from '../../../test/support/test-cluster.js';
import { TestLive } from '../../testing/test-live.js';
import type { OccupancyRules } from '../ports/policy.js';
import { agreementMs } from './occupancy.js';

const graceMs = 1_000;

/** Rules whose hooks write down what they heard. */
function recording(rules: Partial<OccupancyRules> = {}) {
  const heard: string[] = [];
  const occupancy: OccupancyRules = {
    graceMs,
    occupied: () => void heard.push('occupied'),
    vacated: () => void heard.push('vacated'),
    ...rules,
  };
  return { heard, rulesFor: () => ({ occupancy }) };
}

async function cluster(...ids: string[]) {
  const world = new TestCluster();
  const instances = ids.map((id) => {
    const { heard, rulesFor } = recording();
    return { heard, instance: world.add(id, { rulesFor }) };
  });
  await world.pass(1_000);
  return { world, instances };
}

const subscribe = (topic = 'fleet/7') => ({ type: 'subscribe', topic });
const unsubscribe = (topic = 'fleet/7') => ({ type: 'unsubscribe', topic });

describe('Occupancy on one instance', () => {
  it('a topic is occupied with its first subscriber, and vacated a grace after the last one', async () => {
    const { heard, rulesFor } = recording();
    const test = new TestLive({ rulesFor });
    const [one, other] = [test.connect(), test.connect()];
    await one.send(subscribe());
    await other.send(subscribe());
    await one.send(unsubscribe());
    expect(heard).toEqual(['occupied']);
    await other.send(unsubscribe());
    test.clock.advance(graceMs - 1);
    await test.clock.settle();
    expect(heard).toEqual(['occupied']);
    test.clock.advance(1);
    await test.clock.settle();
    expect(heard).toEqual(['occupied', 'vacated']);
  });

  it('a subscriber that comes within the grace continues the occupancy', async () => {
    const { heard, rulesFor } = recording();
    const test = new TestLive({ rulesFor });
    const peer = test.connect();
    await peer.send(subscribe());
    await peer.send(unsubscribe());
    test.clock.advance(graceMs - 1);
    await peer.send(subscribe());
    test.clock.advance(graceMs);
    await test.clock.settle();
    expect([heard, test.live.audience.occupancy.table.read()]).toEqual([['occupied'], ['fleet/7']]);
  });

  it('subscribers do not wait for a hook, and "vacated" waits for a hook that still runs', async () => {
    let prepared = (): void => {};
    const { heard, rulesFor } = recording({
      occupied: () => new Promise<void>((resolve) => (prepared = resolve)),
    });
    const test = new TestLive({ rulesFor });
    const peer = test.connect();
    await peer.send(subscribe());
    expect(peer.received()).toMatchObject([{ type: 'subscribed' }]);
    await peer.send(unsubscribe());
    test.clock.advance(graceMs);
    await test.clock.settle();
    expect(heard).toEqual([]);
    prepared();
    await test.clock.settle();
    expect(heard).toEqual(['vacated']);
  });

  it('a hook that throws or never ends is reported, and the next one runs', async () => {
    const failures: unknown[] = [];
    const { heard, rulesFor } = recording({ occupied: () => new Promise(() => {}) });
    const test = new TestLive({
      rulesFor,
      observer: { failed: (what, error) => void failures.push([what, (error as Error).message]) },
    });
    const peer = test.connect();
    await peer.send(subscribe());
    await peer.send(unsubscribe());
    test.clock.advance(5_000);
    await test.clock.settle();
    expect([failures, heard]).toEqual([
      [['telling a provider that its topic is occupied', 'The hook for "fleet/7" took more than 5000 ms']],
      ['vacated'],
    ]);
  });

  it('an instance that stops vacates its topics before it is closed', async () => {
    const { heard, rulesFor } = recording();
    const test = new TestLive({ rulesFor });
    await test.connect().send(subscribe());
    await test.live.close();
    expect(heard).toEqual(['occupied', 'vacated']);
  });
});

describe('Occupancy on several instances', () => {
  it('subscribers that come at the same time on two instances are one occupancy', async () => {
    const { world, instances } = await cluster('a', 'b');
    await Promise.all(instances.map(({ instance }) => instance.reader('ann', 'fleet/7')));
    await world.pass(agreementMs + 100);
    expect(instances.flatMap(({ heard }) => heard)).toEqual(['occupied']);
    for (const { instance } of instances)
      expect(instance.test.live.audience.occupancy.table.read()).toEqual(['fleet/7']);
  });

  it('the first subscriber waits for the agreement only where there are other instances', async () => {
    const { world, instances } = await cluster('a');
    await instances[0]?.instance.reader('ann', 'fleet/7');
    await world.pass(0);
    expect(instances[0]?.heard).toEqual(['occupied']);
  });

  it('another instance with subscribers starts within the timeout of instances when that of the hooks dies', async () => {
    const { world, instances } = await cluster('a', 'b');
    for (const { instance } of instances) await instance.reader('ann', 'fleet/7');
    await world.pass(1_000);
    const [first] = instances.filter(({ heard }) => heard.length > 0);
    const [second] = instances.filter(({ heard }) => heard.length === 0);
    if (first !== undefined) world.kill(first.instance);
    await world.pass(6_100);
    expect(second?.heard).toEqual(['occupied']);
  });

  it('two instances that did not hear each other agree on one when they do', async () => {
    const { world, instances } = await cluster('a', 'b');
    for (const { instance } of instances) instance.end.connected = false;
    await world.pass(7_000);
    for (const { instance } of instances) await instance.reader('ann', 'fleet/7');
    await world.pass(1_000);
    expect(instances.map(({ heard }) => heard)).toEqual([['occupied'], ['occupied']]);
    for (const { instance } of instances) instance.end.connected = true;
    await world.pass(4_000);
    expect(instances.map(({ heard }) => heard.at(-1)).toSorted()).toEqual(['occupied', 'vacated']);
    expect(instances.map(({ instance }) => instance.test.live.stats().keptTopics).toSorted()).toEqual([0, 1]);
  });
});
