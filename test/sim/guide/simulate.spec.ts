import { type MakeTopics, simulate } from '../../../src/testing/index.js';
import { expect, it } from 'vitest';

interface Order {
  readonly id: number;
}

/** One topic with a new store for each run. `read` produces the snapshot from it. */
function shop(read: (stored: Order[]) => Order[] | Promise<Order[]>): MakeTopics {
  return () => {
    const stored: Order[] = [];
    return [
      {
        name: 'orders/north',
        history: { size: 5, ttlMs: 60_000, maxBytes: 100_000 },
        canSubscribe: (user) => user?.id !== 'u1',
        snapshot: () => read(stored),
        data: (n): Order => ({ id: n }),
        stored: (order) => stored.push(order as Order),
        holds: (snapshot, { published }) => {
          const ids = (snapshot as Order[]).map(({ id }) => id);
          return (published as Order[]).every(({ id }) => ids.includes(id));
        },
      },
    ];
  };
}

it('every order is in the snapshot or in the events that follow', async () => {
  const { failure } = await simulate({ seed: 1, runs: 50, topics: shop((stored) => [...stored]) });
  expect(failure?.report).toBeUndefined();
});

it('the simulation finds a snapshot from a stale cache', async () => {
  const cached = new WeakMap<Order[], Order[]>();
  const fromCache = (stored: Order[]): Order[] => {
    if (!cached.has(stored)) cached.set(stored, [...stored]);
    return cached.get(stored) ?? [];
  };
  const { failure } = await simulate({ seed: 1, runs: 50, topics: shop(fromCache) });
  expect(failure?.fault.rule).toBe('snapshot');
});
