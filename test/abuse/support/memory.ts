import { expect } from 'vitest';

const megabyte = 1_048_576;

/** 1,000 bytes for each of 50,000 connections or messages: a zlib context or a socket is more. */
const maxRssGrowth = 50 * megabyte;

interface Memory {
  readonly rss: number;
  readonly heapUsed: number;
  /** Buffers, most of all. */
  readonly external: number;
}

/** A leak shows in the heap, in buffers, or in RSS, which also has sockets and zlib contexts. */
export function expectNoLeak(before: Memory, { rss, heapUsed, external }: Memory): void {
  expect(heapUsed - before.heapUsed).toBeLessThan(10 * megabyte);
  expect(external - before.external).toBeLessThan(10 * megabyte);
  expect(rss - before.rss).toBeLessThan(maxRssGrowth);
}
