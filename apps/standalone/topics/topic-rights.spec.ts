import { describe, expect, it } from 'vitest';
import { type Right, TopicRights } from './topic-rights.js';

const allows = (live: unknown, right: Right, topic: string): boolean =>
  new TopicRights().allows({ id: 'ann', live }, right, topic);

describe('TopicRights', () => {
  it('topics that match a pattern of the credential are allowed', () => {
    const live = { subscribe: ['fleet/*', 'chat/:room'], publish: ['chat/**'] };
    expect(allows(live, 'subscribe', 'fleet/7')).toBe(true);
    expect(allows(live, 'subscribe', 'chat/1')).toBe(true);
    expect(allows(live, 'publish', 'chat/1/2')).toBe(true);
    expect(allows(live, 'subscribe', 'fleet/7/speed')).toBe(false);
    expect(allows(live, 'publish', 'fleet/7')).toBe(false);
    expect(allows(live, 'subscribe', 'fleetx/7')).toBe(false);
  });

  it.each([
    [undefined],
    [null],
    ['**'],
    [{ subscribe: '**' }],
    [{ subscribe: { 0: '**', length: 1 } }],
    [{ subscribe: [['**'], 7, null, { toString: () => '**' }] }],
    [{ subscribe: ['**/fleet', 'a//b', '', 'fleet/#', '/fleet/7'] }],
    [{ publish: ['**'] }],
    [{ subscribe: [`${'x'.repeat(300)}/**`] }],
  ])('the invalid rights %j allow nothing', (live) => {
    expect(allows(live, 'subscribe', 'fleet/7')).toBe(false);
  });

  it('a connection without a user has no rights', () => {
    expect(new TopicRights().allows(null, 'subscribe', 'fleet/7')).toBe(false);
  });

  it('only the first 100 patterns of a user count, and the pattern cache stays limited', () => {
    const many = Array.from({ length: 101 }, (_, i) => `t/${String(i)}`);
    expect(allows({ subscribe: many }, 'subscribe', 't/99')).toBe(true);
    expect(allows({ subscribe: many }, 'subscribe', 't/100')).toBe(false);
    const rights = new TopicRights();
    for (let i = 0; i < 5_000; i++) {
      const topic = `user/${String(i)}`;
      expect(rights.allows({ id: topic, live: { subscribe: [topic] } }, 'subscribe', topic)).toBe(true);
    }
    expect((rights as unknown as { patterns: Map<string, unknown> }).patterns.size).toBeLessThanOrEqual(
      1_000,
    );
  });

  it('each user object has its own rights even if the ids are equal', () => {
    const rights = new TopicRights();
    const before = { id: 'ann', live: { subscribe: ['a'] } };
    const after = { id: 'ann', live: { subscribe: ['b'] } };
    expect([before, after].map((user) => rights.allows(user, 'subscribe', 'a'))).toEqual([true, false]);
  });
});
