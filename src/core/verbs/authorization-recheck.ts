import type { Connection } from '../connection/connection.js';
import type { Registry } from '../connection/registry.js';
import { eachAtMost } from './each-at-most.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { AuthorizationReview } from './authorization-review.js';

/** Turns that one round is divided into, so that its questions are spread over the interval. */
const turnsPerRound = 60;
/** Shortest time between two turns. */
const minTurnMs = 20;
/** Connections that are asked about at a time. */
const atATime = 16;

/**
 * Asks again for the rights of all subscriptions, once in every interval, a few at a time: what heals a revocation that
 * nobody heard of. A connection waits for its first turn until it is half an interval old, and a subscribe that is pending is
 * left out: what was asked a moment ago is not asked again. A slow check stretches the round, it does not pile up. 0 turns it
 * off. [L-3.12]
 */
export class AuthorizationRecheck {
  private readonly turnMs: number;
  private readonly turns: number;
  private cancel: Cancel | undefined;
  private turn = 0;
  private perTurn = 0;
  private rest: Iterator<Connection> | undefined;
  private busy = false;
  /** Their turn came too early: their subscriptions have just been asked about. In the order in which they opened. */
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

  /** A round begins anew with its first turn; its last one takes all that came meanwhile. */
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
      // The first question about one that is pending is still open, or was answered just now.
      const { topics } = connection;
      if (topics.length > 0) await this.rights.review(connection, 'keep', topics);
    });
    this.busy = false;
  }

  /** Those whose turn came too early, and is now. */
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
