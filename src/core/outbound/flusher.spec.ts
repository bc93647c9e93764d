import { describe, expect, it } from 'vitest';
import { TestClock } from '../../testing/test-clock.js';
import { Flusher, sliceMs } from './flusher.js';

/**
 * A clock that advances with every write and records the duration of each turn of the event loop.
 */
class BusyClock extends TestClock {
  busyMs = 0;
  readonly turnsMs: number[] = [];

  override now(): number {
    return super.now() + this.busyMs;
  }

  override soon(run: () => void): void {
    super.soon(() => {
      const start = this.busyMs;
      run();
      this.turnsMs.push(this.busyMs - start);
    });
  }
}

const writeMs = 0.01;

describe('Flusher', () => {
  it('[L-9.7] a flush of many outboxes is split into slices, and writes each once and in order', () => {
    const clock = new BusyClock();
    const flusher = new Flusher(clock);
    const written: number[] = [];
    for (let i = 0; i < 15_000; i++) {
      flusher.add({ look: () => {}, tick: () => (written.push(i), (clock.busyMs += writeMs)) });
    }
    clock.flush();
    expect(written).toEqual(Array.from({ length: 15_000 }, (_, i) => i));
    expect(clock.turnsMs.length).toBeGreaterThan(10);
    expect(Math.max(...clock.turnsMs)).toBeLessThan(sliceMs + 64 * writeMs + 0.001);
  });

  it('[L-9.7] a small audience is written to while a large one is still in progress', () => {
    const clock = new BusyClock();
    const flusher = new Flusher(clock);
    const written: string[] = [];
    const add = (who: string, then = (): void => {}): void =>
      flusher.add({ look: () => {}, tick: () => (written.push(who), (clock.busyMs += writeMs), then()) });
    for (let i = 0; i < 15_000; i++) {
      // Publications made during the first slice are written from the next one on.
      add('large', i === 100 ? () => Array.from({ length: 10 }, () => add('small')) : undefined);
    }
    clock.flush();
    expect(written).toHaveLength(15_010);
    const slice = sliceMs / writeMs;
    expect(written.lastIndexOf('small')).toBeLessThan(slice + 3 * 64);
  });
});
