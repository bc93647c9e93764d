import { describe, expect, it } from 'vitest';
import type { LiveTopicProvider } from './live-topic.decorator.js';
import { TopicPattern } from './topic-pattern.js';
import { type DeclaredTopic, TopicPolicy } from './topic.policy.js';

class Topics implements LiveTopicProvider {
  readonly asked: unknown[] = [];

  constructor(
    readonly name: string,
    private readonly allow = true,
  ) {}

  canSubscribe(...args: unknown[]): boolean {
    this.asked.push(args);
    return this.allow;
  }
}

const declared = (pattern: string, provider: LiveTopicProvider): DeclaredTopic => ({
  pattern: new TopicPattern(pattern),
  provider,
  history: undefined,
  delivery: {},
});

const policyOf = (...topics: DeclaredTopic[]): TopicPolicy => {
  const policy = new TopicPolicy();
  policy.declare(topics);
  return policy;
};

const ann = { id: 'ann' };

describe('TopicPolicy', () => {
  it('the most specific pattern decides, in any order of declaration', () => {
    const [any, one, seven] = [new Topics('any'), new Topics('one'), new Topics('seven')];
    const policy = policyOf(
      declared('fleet/**', any),
      declared('fleet/7', seven),
      declared('fleet/:id', one),
    );
    for (const topic of ['fleet/7', 'fleet/8', 'fleet/8/9']) void policy.rulesFor(topic)?.canSubscribe(ann);
    expect([seven.asked, one.asked, any.asked]).toEqual([
      [[ann, {}, 'fleet/7']],
      [[ann, { id: '8' }, 'fleet/8']],
      [[ann, {}, 'fleet/8/9']],
    ]);
  });

  it('a topic without a declaration has no rules', () => {
    expect(policyOf(declared('fleet/:id', new Topics('one'))).rulesFor('fleet')).toBeUndefined();
    expect(new TopicPolicy().rulesFor('fleet')).toBeUndefined();
  });

  it('every check calls the provider again, because answers are not cached', () => {
    const topics = new Topics('one');
    const policy = policyOf(declared('a', topics));
    void policy.rulesFor('a')?.canSubscribe(ann);
    void policy.rulesFor('a')?.canSubscribe(null);
    expect(topics.asked).toEqual([
      [ann, {}, 'a'],
      [null, {}, 'a'],
    ]);
  });

  it('no client may publish unless the provider allows it', () => {
    const policy = policyOf(
      declared('a', new Topics('one')),
      declared('b', Object.assign(new Topics('other'), { canPublish: () => Promise.resolve(true) })),
      declared('c', Object.assign(new Topics('third'), { canPublish: () => undefined as never })),
    );
    expect(policy.rulesFor('a')?.canPublish(ann)).toBe(false);
    expect(policy.rulesFor('b')?.canPublish(ann)).toBeInstanceOf(Promise);
    expect(policy.rulesFor('c')?.canPublish(ann)).toBe(false);
  });

  it('a snapshot is created with the parameters, as a method of its provider', () => {
    const provider = Object.assign(new Topics('fleet'), {
      snapshot(this: Topics, params: unknown, topic: string) {
        return [this.name, params, topic];
      },
    });
    const policy = policyOf(declared('fleet/:id', provider), declared('bare', new Topics('bare')));
    expect(policy.rulesFor('fleet/7')?.snapshot?.()).toEqual(['fleet', { id: '7' }, 'fleet/7']);
    expect(policy.rulesFor('bare')).not.toHaveProperty('snapshot');
  });

  it('two declarations of the same form are rejected by name', () => {
    class Fleet extends Topics {}
    class Buses extends Topics {}
    expect(() =>
      policyOf(declared('fleet/:id', new Fleet('one')), declared('fleet/:busId', new Buses('other'))),
    ).toThrow(
      "LiveModule: @LiveTopic('fleet/:id') Fleet and @LiveTopic('fleet/:busId') Buses declare the same topics. Keep one of them.",
    );
  });

  it.each([
    [':x/*', '*/:y', "'any/any'", 'declare the same topics'],
    ['*/*/b', 'a/**', "'a/any/b'", 'neither is the more specific pattern'],
    ['a/:x', ':y/b', "'a/b'", 'neither is the more specific pattern'],
    ['a/**', ':y/b', "'a/b'", 'neither is the more specific pattern'],
    ['a/:x/**', ':y/b/**', "'a/b/any'", 'neither is the more specific pattern'],
  ])('the pattern %s beside %s is rejected with both names and the reason', (one, other, example, why) => {
    class Fleet extends Topics {}
    class Buses extends Topics {}
    const declare = () => policyOf(declared(one, new Fleet('one')), declared(other, new Buses('other')));
    expect(declare).toThrow(why);
    expect(declare).toThrow(`@LiveTopic('${one}') Fleet and @LiveTopic('${other}') Buses`);
    if (why.startsWith('neither')) expect(declare).toThrow(`both match ${example}`);
  });

  it.each([
    ['*/admin', ':tenant/:room', 'acme/admin'],
    [':t/admin', ':tenant/:room', 'acme/admin'],
    ['a/*/secret', 'a/:x/**', 'a/1/secret'],
    ['a/*/b', 'a/**', 'a/1/b'],
  ])('the narrower %s decides before %s, in either order', (narrow, wide, topic) => {
    const [denies, allows] = [new Topics('denies', false), new Topics('allows')];
    const both = [declared(narrow, denies), declared(wide, allows)];
    for (const order of [both, both.toReversed()])
      expect(
        policyOf(...order)
          .rulesFor(topic)
          ?.canSubscribe(ann),
      ).toBe(false);
  });

  it.each([
    ['fleet/:id/presence', 'fleet/7'],
    ['fleet/7/presence', 'fleet/:id'],
    ['fleet/:id/presence', ':kind/7'],
    ['fleet/*/presence', 'fleet/**'],
    ['*/presence', 'fleet'],
  ])('[L-11.1] the pattern %s is rejected if the members of %s are announced there', (hidden, shown) => {
    const rooms = { ...declared(shown, new Topics('rooms')), presence: { graceMs: 0 } };
    expect(() => policyOf(rooms, declared(hidden, new Topics('hidden')))).toThrow(
      `@LiveTopic('${hidden}') Topics is where the members of @LiveTopic('${shown}')`,
    );
  });

  it('[L-11.1] a topic that ends in presence is allowed if its base topic has no presence', () => {
    const rooms = { ...declared('fleet/7', new Topics('rooms')), presence: { graceMs: 0 } };
    const policy = policyOf(rooms, declared('fleet/8/presence', new Topics('other')));
    expect(policy.rulesFor('fleet/8/presence')).toBeDefined();
  });

  it('the cache of topics is bounded, however many topics peers name', () => {
    const policy = policyOf(declared('fleet/:id', new Topics('one')));
    for (let i = 0; i < 25_000; i++) policy.rulesFor(`${i % 2 ? 'fleet' : 'none'}/${String(i)}`);
    const { remembered } = policy as unknown as { remembered: ReadonlyMap<string, unknown> };
    expect(remembered.size).toBeLessThanOrEqual(10_000);
    expect(policy.rulesFor('fleet/1')).toBeDefined();
    expect(policy.rulesFor('none/0')).toBeUndefined();
  });
});
