import { expect } from 'vitest';

const megabyte = 1_048_576;

/** Node 24 and 26 keep up to 134 MB after 100,000 short connections, while the heap is flat. */
const maxRssGrowth = (Number(process.versions.node.split('.')[0]) >= 24 ? 200 : 50) * megabyte;

interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  /** Buffers, most of all. */
  readonly external: number;
}

/** A leak shows in the heap or in buffers. RSS only rises to a plateau, which differs by Node. */
export function expectNoLeak(before: Memory, { rss, heapUsed, external }: Memory): void {
  expect(heapUsed - before.heapUsed).toBeLessThan(10 * megabyte);
  expect(external - before.external).toBeLessThan(10 * megabyte);
  expect(rss - before.rss).toBeLessThan(maxRssGrowth);
}
