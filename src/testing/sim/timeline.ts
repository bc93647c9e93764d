import { SimClock } from './sim-clock.js';

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

/**
 * The one thread of time of a simulation: what the world does (its events) and what the code under test does (timers of
 * the clock, promises, what is to run soon) happen one after the other, in an order that nothing outside decides.
 */
export class Timeline {
  readonly clock: SimClock;
  /** The next one last. */
  private readonly events: Event[] = [];
  /** How long it stood still, in all. */
  stalledMs = 0;
  private busyUntilMs = 0;

  constructor(random: () => number) {
    this.clock = new SimClock(undefined, random);
  }

  get nowMs(): number {
    return this.clock.now();
  }

  /** Events that have not happened yet. */
  get eventCount(): number {
    return this.events.length;
  }

  /** Something that happens `ms` from now; of those at one moment, what was asked for first comes first. */
  in(ms: number, run: () => void): void {
    const event = { atMs: this.nowMs + ms, run };
    let place = this.events.length;
    while (place > 0 && (this.events[place - 1]?.atMs ?? Infinity) <= event.atMs) place -= 1;
    this.events.splice(place, 0, event);
  }

  /** For so long the process has so much to do that nothing runs soon. */
  keepBusy(ms: number): void {
    this.busyUntilMs = Math.max(this.busyUntilMs, this.nowMs + ms);
    this.in(ms, () => {});
  }

  /** The process stands still: whatever is due meanwhile happens late. */
  async stall(ms: number): Promise<void> {
    this.stalledMs += ms;
    this.clock.stall(ms);
    await this.settle();
  }

  /** Moves on by `ms`; ends early once `stopped` says so. */
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

  /** Lets promises go on until none is left that can, and runs what is to run soon. */
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

/** All microtasks of this turn are done when the queue of ticks has its turn. No timer, no turn of the event loop. */
function promisesDone(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
