import { describe, expect, it } from 'vitest';
import { type BrokerSink, silentSink } from 'nestjs-live/broker';
import { eachBrokerCheck } from 'nestjs-live/testing';
import { MemoryEngine } from '../../test/brokers/memory-engine.js';
import { LocalTopics } from './local-topics.js';

const limits = { count: 10, bytes: 1_000 };

/** An instance on an engine, with the publications that it received. */
function instance(engine: MemoryEngine) {
  const broker = new LocalTopics(engine.open().broker, ['own']);
  const came: string[] = [];
  const publication: BrokerSink['publication'] = (topic, _epoch, { data }) =>
    void came.push(`${topic} ${data}`);
  broker.start({ ...silentSink, publication });
  return { broker, came };
}

describe('LocalTopics keeps the contract of the broker port for all other topics', () => {
  eachBrokerCheck(it, {
    open: () => {
      const opened = new MemoryEngine().open();
      const { another } = opened;
      return {
        ...opened,
        broker: new LocalTopics(opened.broker, ['own']),
        ...(another && { another: async () => new LocalTopics(await another(), ['own']) }),
      };
    },
  });
});

describe('A topic that is local to each instance', () => {
  it('[L-4.2] a local topic reaches only the subscribers of its instance, in its own stream', async () => {
    const engine = new MemoryEngine();
    const [one, two] = [instance(engine), instance(engine)];
    for (const { broker } of [one, two]) for (const topic of ['own', 'shared']) await broker.subscribe(topic);
    const history = { size: 10, ttlMs: 60_000, maxBytes: 1_000 };
    const first = await one.broker.publish('own', '1', { history });
    const other = await two.broker.publish('own', '2', { history });
    await two.broker.publish('shared', '3', { history });
    expect([one.came, two.came]).toEqual([
      ['own 1', 'shared 3'],
      ['own 2', 'shared 3'],
    ]);
    expect([first.offset, other.offset, first.epoch === other.epoch]).toEqual([1, 1, false]);
    const tops = await one.broker.tops(['own', 'shared']);
    expect([tops.get('own'), tops.get('shared')?.offset]).toEqual([first, 1]);
    // A position of another instance is not recovered, so its subscriber starts afresh.
    expect((await two.broker.read('own', { ...first, offset: 0 }, limits)).missed).toBeUndefined();
    expect((await one.broker.read('own', { ...first, offset: 0 }, limits)).missed).toHaveLength(1);
    await Promise.all([one.broker.close(), two.broker.close()]);
    await expect(one.broker.publish('own', '1', {})).rejects.toThrow();
  });
});
