import { CloseCode, CloseReason } from '../../protocol/codes.js';
import type { Clock } from '../ports/clock.js';
import type { Connection } from './connection.js';
import type { Registry } from './registry.js';
import { attempt, maxGraceMs, maxSlotMs, perTurn, Slots } from './slots.js';

/** Part of the time limit for all slots. The rest is for peers that close slowly. */
const maxPart = 0.75;
/** Milliseconds after the deadline for terminated sockets to report their end. */
const lastWordsMs = 250;

/** How departures are spread over time. */
export interface DrainSpread {
  /** Milliseconds over which they are spread at most; with 0, all leave at once. */
  readonly windowMs: number;
  /** Departures a second, unless the window is too short for that. @default 200 */
  readonly perSecond?: number;
}

export interface DrainOptions extends DrainSpread {
  /** Milliseconds until connections that are still open are terminated. */
  readonly timeoutMs: number;
  /** Called before connections are closed, once a turn: sends everything that still waits. */
  readonly beforeClosing: () => void;
  /** Called once every connection was asked to leave, or has left: nothing more goes out. */
  readonly afterClosing: () => void;
}

/** What has become of the connections that were open when the drain began. */
export interface DrainProgress {
  /** Connections at the start of the drain. */
  readonly connections: number;
  /** Connections that were given a slot. */
  readonly slots: number;
  /** Connections that had gone by themselves when their time was over. */
  readonly left: number;
  /** Connections that the server closed, because they had not gone by then. */
  readonly closed: number;
  /** Connections terminated at the deadline. */
  readonly terminated: number;
  /** Connections that are still open. */
  readonly remaining: number;
}

/**
 * Sends every connection away, each in its own slot of the window, and terminates those still open
 * at the deadline. Completes at most 250 ms later, even if a connection never reports its end.
 * [L-10.1] [L-10.2] [L-10.6]
 */
export class Drain {
  private readonly leaving: readonly Connection[];
  private readonly schedule: Slots;
  private readonly graceMs: number;
  private readonly startMs: number;
  private slots = 0;
  private left = 0;
  private closed = 0;
  private terminated = 0;
  private over: (result: DrainProgress) => void = () => {};
  readonly done = new Promise<DrainProgress>((resolve) => {
    this.over = resolve;
  });
  private cancelDeadline = (): void => {};
  private isOver = false;

  constructor(
    private readonly registry: Registry,
    private readonly clock: Clock,
    private readonly options: DrainOptions,
  ) {
    const { timeoutMs, windowMs, perSecond } = options;
    this.leaving = [...registry];
    this.startMs = clock.now();
    this.graceMs = Math.min(maxGraceMs, timeoutMs / 8);
    const latestMs = timeoutMs * maxPart - maxSlotMs - this.graceMs;
    this.schedule = new Slots(this.leaving.length, Math.min(windowMs, latestMs), perSecond);
    this.cancelDeadline = clock.after(timeoutMs, () => this.terminateRest());
    if (this.schedule.spreadMs > 0) this.announce();
    this.closeDue();
    this.check();
  }

  get progress(): DrainProgress {
    const { slots, left, closed, terminated } = this;
    return {
      connections: this.leaving.length,
      slots,
      left,
      closed,
      terminated,
      remaining: this.registry.size,
    };
  }

  /** Call this when a connection has ended. */
  check(): void {
    if (this.registry.size === 0) this.end();
  }

  /** Tells each connection when it should leave. */
  private announce(): void {
    const until = Math.min(this.leaving.length, this.slots + perTurn);
    for (; this.slots < until; this.slots += 1) {
      const connection = this.leaving[this.slots];
      const message = this.schedule.message(this.slots, this.elapsedMs());
      if (connection?.open === true) attempt(() => connection.send(message));
    }
    if (this.slots < this.leaving.length) this.clock.soon(() => this.announce());
  }

  /** Closes the connections whose time is over, in the order of their slots. */
  private closeDue(): void {
    if (this.isOver) return;
    let mayClose = false;
    for (let i = 0; i < perTurn; i++) {
      const place = this.left + this.closed;
      const connection = this.leaving[place];
      if (connection === undefined) return this.options.afterClosing();
      const waitMs = this.closeAtMs(place) - this.elapsedMs();
      if (waitMs > 0) {
        // A tiny rest of a rounding error would not advance the clock.
        this.clock.after(Math.ceil(waitMs), () => this.closeDue());
        return;
      }
      if (connection.open) {
        if (!mayClose) this.options.beforeClosing();
        mayClose = true;
        this.closed += 1;
        // A connection that cannot be closed is terminated at the deadline and must not block the
        // others.
        attempt(() => connection.close(CloseCode.goingAway, CloseReason.serverShuttingDown));
      } else this.left += 1;
    }
    this.clock.soon(() => this.closeDue());
  }

  private closeAtMs(place: number): number {
    const { spreadMs, lengthMs } = this.schedule;
    return spreadMs > 0 ? this.schedule.startOf(place) + lengthMs + this.graceMs : 0;
  }

  private elapsedMs(): number {
    return this.clock.now() - this.startMs;
  }

  private terminateRest(): void {
    const rest = [...this.registry];
    this.terminated = rest.length;
    this.cancelDeadline = this.clock.after(lastWordsMs, () => this.end());
    for (const connection of rest) {
      attempt(() => connection.terminate(CloseCode.goingAway, 'drain deadline'));
    }
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.cancelDeadline();
    this.options.afterClosing();
    // What has gone since its slot began counts as left.
    this.left = this.leaving.length - this.closed;
    this.over(this.progress);
  }
}
