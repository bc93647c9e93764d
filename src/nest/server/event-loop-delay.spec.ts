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
  it('a reading without measurements is all zeros, and never NaN', () => {
    const zeros = { mean: 0, p99: 0, max: 0 };
    expect([new EventLoopDelay().read(), start().read()]).toEqual([zeros, zeros]);
  });

  it('a blocked event loop is measured in milliseconds', async () => {
    const delay = start();
    // Samples are counted from the first turn of the timer.
    await later(250);
    standStill(300);
    await until(() => delay.read().max > 150);
    const { mean, p99, max } = delay.read();
    expect(max).toBeLessThan(2_000);
    expect(p99).toBeLessThanOrEqual(max);
    expect(mean).toBeLessThan(max);
  });

  it('an idle event loop reads less than the resolution of 100 ms', async () => {
    const delay = start(500);
    await until(() => delay.read().max > 0 && delay.read().mean < 80);
  });

  it('a block is forgotten after at most two windows, and not before one', async () => {
    const delay = start(500);
    await later(250);
    standStill(300);
    const stoodStillAt = performance.now();
    await until(() => delay.read().max > 150);
    await until(() => delay.read().max < 100);
    expect(performance.now() - stoodStillAt).toBeGreaterThan(490);
  });

  it('a second start keeps the measurements, because readers share the monitor', async () => {
    const delay = start();
    await later(250);
    standStill(300);
    await until(() => delay.read().max > 150);
    delay.start();
    expect(delay.read().max).toBeGreaterThan(150);
  });

  it('the monitor does not keep the process alive', () => {
    const before = process.getActiveResourcesInfo().toSorted();
    start();
    expect(process.getActiveResourcesInfo().toSorted()).toEqual(before);
  });
});
