/** Times of one process: how long its event loop was active, and what CPU time the process had. */
export interface Busy {
  readonly wallMs: number;
  readonly cpuMs: number;
}

export function busyUntilNow(): Busy {
  const { user, system } = process.cpuUsage();
  return { wallMs: performance.eventLoopUtilization().active, cpuMs: (user + system) / 1_000 };
}

/** How many times longer the work of a process took than with a core of its own. At least 1. */
export function slowdown(before: Busy, after: Busy): number {
  return Math.max(1, (after.wallMs - before.wallMs) / (after.cpuMs - before.cpuMs));
}
