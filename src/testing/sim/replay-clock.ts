import type { Cancel, Clock } from '../../core/ports/clock.js';

/** A clock that can be set back for the duration of a call, for a store that replays its past. */
export class ReplayClock implements Clock {
  private replayedMs: number | undefined;

  constructor(private readonly clock: Clock) {}

  /** Runs a function as if at this time. */
  at(ms: number, run: () => void): void {
    this.replayedMs = ms;
    run();
    this.replayedMs = undefined;
  }

  now(): number {
    return this.replayedMs ?? this.clock.now();
  }

  wallMs(): number {
    return this.clock.wallMs();
  }

  after(ms: number, run: () => void): Cancel {
    return this.clock.after(ms, run);
  }

  soon(run: () => void): void {
    this.clock.soon(run);
  }

  random(): number {
    return this.clock.random();
  }
}
