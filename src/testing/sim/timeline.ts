import { SimClock } from './sim-clock.js';

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

/**
 * The single thread of time of a simulation. Events of the world and work of the code under test
 * (timers, promises, `soon` callbacks) run one at a time, in an order that nothing outside decides.
 */
export class Timeline {
  readonly clock: SimClock;
  /** Sorted so that the next event is last. */
  private readonly events: Event[] = [];
  /** Total time of stalls. */
  stalledMs = 0;
  private busyUntilMs = 0;

  constructor(random: () => number) {
    this.clock = new SimClock(undefined, random);
  }

  get nowMs(): number {
    return this.clock.now();
  }

  /** Number of pending events. */
  get eventCount(): number {
    return this.events.length;
  }

  /**
   * Schedules an event `ms` from now. Events at the same time run in the order they were scheduled.
   */
  in(ms: number, run: () => void): void {
    const event = { atMs: this.nowMs + ms, run };
    let place = this.events.length;
    while (place > 0 && (this.events[place - 1]?.atMs ?? Infinity) <= event.atMs) place -= 1;
    this.events.splice(place, 0, event);
  }

  /** Keeps the process too busy to run `soon` callbacks for this time. */
  keepBusy(ms: number): void {
    this.busyUntilMs = Math.max(this.busyUntilMs, this.nowMs + ms);
    this.in(ms, () => {});
  }

  /** Stalls the process, so everything due in that time happens late. */
  async stall(ms: number): Promise<void> {
    this.stalledMs += ms;
    this.clock.stall(ms);
    await this.settle();
  }

  /** Moves on by `ms`; ends early once `stopped` returns true. */
  async advance(ms: number, stopped: () => boolean): Promise<void> {
    const endMs = this.nowMs + ms;
    await this.settle();
    while (!stopped()) {
      const eventMs = this.events.at(-1)?.atMs ?? Infinity;
      const timerMs = this.clock.nextMs;
      const nextMs = Math.min(eventMs, timerMs);
      if (nextMs > endMs) break;
      if (timerMs <= eventMs) this.clock.advance(Math.max(0, timerMs - this.nowMs));
      else this.happen();
      await this.settle();
    }
    this.clock.advance(Math.max(0, endMs - this.nowMs));
    await this.settle();
  }

  /** Lets all promises that can continue do so, and runs `soon` callbacks. */
  async settle(): Promise<void> {
    await promisesDone();
    while (this.clock.hasSoon && this.nowMs >= this.busyUntilMs) {
      this.clock.flush();
      await promisesDone();
    }
  }

  private happen(): void {
    const event = this.events.at(-1);
    if (event === undefined) return;
    this.clock.advance(Math.max(0, event.atMs - this.nowMs));
    this.events.pop();
    event.run();
  }
}

/**
 * Microtasks of this tick are done once `nextTick` callbacks run. It needs no timer and no turn of
 * the event loop.
 */
function promisesDone(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
