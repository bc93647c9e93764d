import type { DrainProgress } from '../../src/core/connection/drain.js';

/** The progress of a drain in which everything is 0 except for these counts. */
export const drainProgress = (counts: Partial<DrainProgress> = {}): DrainProgress => ({
  connections: 0,
  slots: 0,
  left: 0,
  closed: 0,
  terminated: 0,
  remaining: 0,
  ...counts,
});
