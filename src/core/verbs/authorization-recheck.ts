import type { Connection } from '../connection/connection.js';
import type { Registry } from '../connection/registry.js';
import { eachAtMost } from './each-at-most.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { AuthorizationReview } from './authorization-review.js';

/** Steps per round, so that the checks are spread over the interval. */
const turnsPerRound = 60;
/** Minimum time between two steps. */
const minTurnMs = 20;
/** Connections checked concurrently. */
const atATime = 16;

/**
 * Repeats the authorization of every subscription once per interval, a few at a time. This ends
 * subscriptions after a revocation that was not announced. Connections younger than half an
 * interval and pending subscribes are skipped, because they were just checked. A slow check
 * prolongs the round. An interval of 0 disables it. [L-3.12]
 */
export class AuthorizationRecheck {
  private readonly turnMs: number;
  private readonly turns: number;
  private cancel: Cancel | undefined;
  private turn = 0;
  private perTurn = 0;
  private rest: Iterator<Connection> | undefined;
  private busy = false;
  /** Connections whose step came too early, because they were just checked. In order of opening. */
  private young: Connection[] = [];

  constructor(
    private readonly intervalMs: number,
    private readonly clock: Clock,
    private readonly connections: Registry,
    private readonly rights: AuthorizationReview,
  ) {
    this.turnMs = Math.max(minTurnMs, intervalMs / turnsPerRound);
    this.turns = intervalMs === 0 ? 0 : Math.max(1, Math.round(intervalMs / this.turnMs));
  }

  start(): void {
    if (this.turns === 0) return;
    this.cancel = this.clock.after(this.turnMs, () => {
      this.start();
      if (!this.busy) void this.takeTurn();
    });
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  /** The first step starts a new round. The last one checks everything that is left. */
  private async takeTurn(): Promise<void> {
    if (this.turn === 0 || this.rest === undefined) {
      this.rest = this.connections[Symbol.iterator]();
      this.perTurn = Math.ceil(this.connections.size / this.turns);
    }
    const last = this.turn === this.turns - 1;
    this.turn = last ? 0 : this.turn + 1;
    this.busy = true;
    const count = last ? Infinity : this.perTurn;
    const some = [...this.grownUp(count), ...this.oldOnes(upTo(count, this.rest))];
    await eachAtMost(atATime, some, this.clock, async (connection) => {
      // The first check of a pending subscribe is still running or has just finished.
      const { topics } = connection;
      if (topics.length > 0) await this.rights.review(connection, 'keep', topics);
    });
    this.busy = false;
  }

  /** Removes and returns connections that were too young before and are due now. */
  private grownUp(count: number): Connection[] {
    const first = this.young.findIndex((connection) => this.isYoung(connection));
    const due = this.young.splice(0, Math.min(count, first < 0 ? this.young.length : first));
    return due.filter(({ open }) => open);
  }

  private *oldOnes(connections: Iterable<Connection>): Iterable<Connection> {
    for (const connection of connections) {
      if (this.isYoung(connection)) this.young.push(connection);
      else yield connection;
    }
  }

  private isYoung({ openedMs }: Connection): boolean {
    return this.clock.now() - openedMs < this.intervalMs / 2;
  }
}

function* upTo<T>(count: number, rest: Iterator<T>): Iterable<T> {
  for (let i = 0; i < count; i++) {
    const next = rest.next();
    if (next.done === true) return;
    yield next.value;
  }
}
