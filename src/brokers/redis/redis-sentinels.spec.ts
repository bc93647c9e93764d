import { describe, expect, it } from 'vitest';
import { answerOf } from './redis-sentinels.js';

const [old, next] = [
  { ip: '10.0.0.1', port: '6379' },
  { ip: '10.0.0.2', port: '6379' },
];
const failing = { flags: 'master,failover_in_progress,force_failover' };

/** The answers of one sentinel during a failover, step by step. */
const course = [
  answerOf({ ...old, flags: 'master', 'config-epoch': '4' }, []),
  answerOf({ ...old, ...failing, 'config-epoch': '4' }, [{ ...next, flags: 'slave' }]),
  answerOf({ ...old, ...failing, 'config-epoch': '4' }, [
    { ...next, flags: 'slave,promoted', 'role-reported': 'slave' },
  ]),
  answerOf({ ...old, ...failing, 'config-epoch': '5' }, [
    { ...next, flags: 'slave,promoted', 'role-reported': 'master' },
  ]),
  answerOf({ ...next, flags: 'master', 'config-epoch': '5' }, []),
];

describe('Answers of a sentinel during a failover', () => {
  it('a sentinel names no master once a failover has begun, and the replica as soon as it is chosen', () => {
    const [from, to] = ['10.0.0.1:6379', '10.0.0.2:6379'];
    expect(course.map(({ address }) => address)).toEqual([from, undefined, to, to, to]);
  });

  it('each step of a failover ranks above the one before, and the last below the start of the next failover', () => {
    const ranks = course.map(({ rank }) => rank);
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    const again = answerOf({ ...next, ...failing, 'config-epoch': '5' }, [{ ...old, flags: 'slave' }]);
    expect(again.rank).toBeGreaterThan(Math.max(...ranks));
  });
});
