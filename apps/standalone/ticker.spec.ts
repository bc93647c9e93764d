import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Ticker } from './ticker.js';

describe('Ticker', () => {
  // Other timers, such as those of fetch, may be left over from other files in this process.
  beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => vi.useRealTimers());

  it('a ticker runs at once and then repeatedly until it is stopped', async () => {
    const run = vi.fn(() => Promise.resolve());
    const ticker = new Ticker('counting', 1_000, run);
    ticker.start();
    expect(run).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(run).toHaveBeenCalledTimes(4);
    ticker.stop();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(run).toHaveBeenCalledTimes(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a ticker continues after a failure and logs consecutive failures once', async () => {
    const warn = vi.fn();
    const run = vi.fn(() => Promise.reject(new Error('broker away')));
    const ticker = new Ticker('counting', 1_000, run);
    Object.assign(ticker, { logger: { warn } });
    ticker.start();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(run).toHaveBeenCalledTimes(3);
    expect(warn).toHaveBeenCalledTimes(1);
    run.mockResolvedValueOnce(undefined as never);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(warn).toHaveBeenCalledTimes(2);
    ticker.stop();
  });
});
