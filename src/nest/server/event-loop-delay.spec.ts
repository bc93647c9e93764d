import { afterEach, describe, expect, it } from 'vitest';
import { setTimeout as later } from 'node:timers/promises';
import { EventLoopDelay } from './event-loop-delay.js';

const started: EventLoopDelay[] = [];

function start(windowMs?: number): EventLoopDelay {
  const delay = new EventLoopDelay(windowMs);
  started.push(delay);
  delay.start();
  return delay;
}

function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 5_000; !condition();) {
    if (performance.now() > end) throw new Error('The condition did not come true within 5 s');
    await later(5);
  }
}

afterEach(() => {
  for (const delay of started.splice(0)) delay.stop();
});

describe('EventLoopDelay', () => {
  it('reads zeros before anything was measured, and never NaN', () => {
    const zeros = { mean: 0, p99: 0, max: 0 };
    expect([new EventLoopDelay().read(), start().read()]).toEqual([zeros, zeros]);
  });

  it('reads a stop of the loop in milliseconds', async () => {
    const delay = start();
    // The first sample needs a timer's turn to count from.
    await later(250);
    standStill(300);
    await until(() => delay.read().max > 150);
    const { mean, p99, max } = delay.read();
    expect(max).toBeLessThan(2_000);
    expect(p99).toBeLessThanOrEqual(max);
    expect(mean).toBeLessThan(max);
  });

  it('reads less than its own resolution, 100 ms, while the loop is idle', async () => {
    const delay = start(500);
    await until(() => delay.read().max > 0 && delay.read().mean < 80);
  });

  it('forgets a stop after at most two windows, and not before one', async () => {
    const delay = start(500);
    await later(250);
    standStill(300);
    const stoodStillAt = performance.now();
    await until(() => delay.read().max > 150);
    await until(() => delay.read().max < 100);
    expect(performance.now() - stoodStillAt).toBeGreaterThan(490);
  });

  it('is shared: a second start does not begin anew', async () => {
    const delay = start();
    await later(250);
    standStill(300);
    await until(() => delay.read().max > 150);
    delay.start();
    expect(delay.read().max).toBeGreaterThan(150);
  });

  it('does not hold the process open', () => {
    const before = process.getActiveResourcesInfo().toSorted();
    start();
    expect(process.getActiveResourcesInfo().toSorted()).toEqual(before);
  });
});
