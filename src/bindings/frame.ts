import { nextFrame } from '../client/view.js';

const due = new Set<() => void>();

function flush(): void {
  const now = [...due];
  due.clear();
  for (const run of now) run();
}

/**
 * Runs once in the next frame, in the same task as everything else that waits for it, so that a
 * framework renders once for all of it.
 */
export function perFrame(run: () => void): void {
  if (due.size === 0) nextFrame(flush);
  due.add(run);
}

/** What no longer needs to run. */
export function dropFromFrame(run: () => void): void {
  due.delete(run);
}
