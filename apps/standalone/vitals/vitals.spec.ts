import { describe, expect, it } from 'vitest';
import type { LiveService } from 'nestjs-live';
import { Vitals } from './vitals.js';

const stats = {
  connections: 1,
  users: 1,
  subscriptions: 2,
  topics: 3,
  publicationsTotal: 4,
  deliveriesTotal: 5,
  queuedBytes: 6,
  draining: false,
};

describe('Vitals', () => {
  it('a reading has the state of the process and of the live server', () => {
    const vitals = new Vitals({ stats: () => stats } as unknown as LiveService);
    const reading = vitals.read();
    const { users: _users, draining: _draining, ...published } = stats;
    expect(reading).toMatchObject(published);
    expect(reading).not.toHaveProperty('users');
    expect(Math.abs(reading.time - Date.now())).toBeLessThan(1_000);
    expect(reading.rssBytes).toBeGreaterThan(reading.heapUsedBytes);
    expect(reading.cpuPercent).toBeGreaterThanOrEqual(0);
    vitals.onModuleDestroy();
  });

  it('the readings of the last two minutes are kept, oldest first', () => {
    let connections = 0;
    const vitals = new Vitals({
      stats: () => ({ ...stats, connections: ++connections }),
    } as unknown as LiveService);
    for (let i = 0; i < 130; i++) vitals.read();
    expect(vitals.recent).toHaveLength(120);
    expect([vitals.recent[0]?.connections, vitals.recent.at(-1)?.connections]).toEqual([11, 130]);
    vitals.onModuleDestroy();
  });
});
