import { LiveError } from '../../protocol/live.error.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { Connection } from './connection.js';
import type { ReplayRate } from '../ports/limits.js';
import { ReplayGate } from './replay-gate.js';
import { Turns } from './turns.js';

/** Recoveries of all peers. Each may send hundreds of kilobytes. [L-9.7] */
export const recoveryTurns = { perTurn: 16, maxWaiting: 65_536 } as const;

/** Number of users kept before idle ones are removed. */
const fewUsers = 1_000;

/** Awaits a promise, and throws if the result is no longer needed. */
export interface Waiter {
  until<T>(work: PromiseLike<T>): Promise<T>;
}

/**
 * Charges for a read when it completes, even if it is no longer awaited. Call it exactly once,
 * immediately.
 */
export type Charge = <T>(result: Promise<T>, bytesOf: (result: T) => number) => void;

interface Account {
  readonly gate: ReplayGate;
  /** Callbacks that wait for a read of this account to complete. */
  readonly waiting: Set<() => void>;
}

/**
 * Limits how much recoveries and snapshots read and send. Each is charged to the peer that causes
 * it: to a user across all connections, because new ones are cheap, or to a connection without a
 * user. [L-9.18]
 */
export class Replays {
  private readonly byUser = new Map<string, Account>();
  private readonly nameless = new WeakMap<Connection, Account>();
  private lookAt = fewUsers;
  private readonly turns: Turns<() => void>;

  constructor(
    private readonly clock: Clock,
    private readonly observer: Pick<Observer, 'tooFast'>,
    /** Absent disables charging. */
    private readonly rate: ReplayRate | undefined,
  ) {
    this.turns = new Turns(clock, recoveryTurns, (begin) => begin());
  }

  /** Throws `rate-limited` while the peer's budget is used up. */
  check(connection: Connection): void {
    const waitMs = this.accountOf(connection)?.gate.refusedMs(this.clock.now()) ?? 0;
    if (waitMs === 0) return;
    this.observer.tooFast(connection, 'replay');
    throw new LiveError('rate-limited', 'Your budget for recoveries and snapshots is used up', {
      retryAfterMs: Math.ceil(waitMs),
    });
  }

  /** Resolves when it is the turn of one more recovery. */
  turn(): Promise<void> {
    return new Promise((begin) => this.turns.add(begin));
  }

  /** Resolves when the peer may start a read, at once or after its reads in progress. */
  async enter(connection: Connection, waiter: Waiter): Promise<Charge> {
    const account = this.accountOf(connection);
    if (account === undefined) return () => {};
    const { gate, waiting } = account;
    while (!gate.begin(this.clock.now())) {
      let resolve = (): void => {};
      try {
        await waiter.until(new Promise<void>((done) => waiting.add((resolve = done))));
        this.check(connection);
      } catch (error) {
        // Pass on the turn if it was this one's.
        this.wake(account);
        throw error;
      } finally {
        waiting.delete(resolve);
      }
    }
    // Wake as many as there is room for.
    this.wake(account);
    const end = (byteLength: number): void => {
      gate.end(byteLength, this.clock.now());
      this.wake(account);
    };
    return (result, bytesOf) => {
      result.then(
        (settled) => end(bytesOf(settled)),
        () => end(0),
      );
    };
  }

  private wake({ waiting }: Account): void {
    const [next] = waiting;
    if (next === undefined) return;
    waiting.delete(next);
    next();
  }

  private accountOf(connection: Connection): Account | undefined {
    if (this.rate === undefined) return undefined;
    const userId = connection.user?.id;
    let account = userId === undefined ? this.nameless.get(connection) : this.byUser.get(userId);
    if (account !== undefined) return account;
    account = { gate: new ReplayGate(this.rate), waiting: new Set() };
    if (userId === undefined) this.nameless.set(connection, account);
    else {
      this.forgetFull();
      this.byUser.set(userId, account);
    }
    return account;
  }

  /** Accounts with a full budget are created again on demand. */
  private forgetFull(): void {
    if (this.byUser.size < this.lookAt) return;
    const now = this.clock.now();
    for (const [userId, { gate, waiting }] of this.byUser) {
      if (waiting.size === 0 && gate.isFull(now)) this.byUser.delete(userId);
    }
    this.lookAt = Math.max(fewUsers, 2 * this.byUser.size);
  }
}
