import { LiveError } from '../../protocol/live.error.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { Connection } from './connection.js';
import { ReplayGate } from './replay-gate.js';
import type { ReplayRate } from '../ports/limits.js';

/** Users that are remembered before those are looked for that need not be. */
const fewUsers = 1_000;

/** Waits for something, and throws when that is of no use any more. */
export interface Waiter {
  until<T>(work: PromiseLike<T>): Promise<T>;
}

/** Charges for what is read, when it is there, also when nobody waits for it any more. To be called once, and at once. */
export type Charge = <T>(result: Promise<T>, bytesOf: (result: T) => number) => void;

interface Account {
  readonly gate: ReplayGate;
  /** Those who wait until one of theirs is read. */
  readonly waiting: Set<() => void>;
}

/**
 * What peers make the server read and send is charged to them: to a user on all connections together, since another one is
 * quickly made, and to a connection where nobody knows whose it is. [L-9.18]
 */
export class Replays {
  private readonly byUser = new Map<string, Account>();
  private readonly nameless = new WeakMap<Connection, Account>();
  private lookAt = fewUsers;

  constructor(
    private readonly clock: Clock,
    private readonly observer: Pick<Observer, 'tooFast'>,
    /** Absent where nothing is charged. */
    private readonly rate: ReplayRate | undefined,
  ) {}

  /** Throws `rate-limited` while the peer has used up what it may have read. */
  check(connection: Connection): void {
    const waitMs = this.accountOf(connection)?.gate.refusedMs(this.clock.now()) ?? 0;
    if (waitMs === 0) return;
    this.observer.tooFast(connection, 'replay');
    throw new LiveError('rate-limited', 'Too much was read for you in this time', {
      retryAfterMs: Math.ceil(waitMs),
    });
  }

  /** Settles when the peer may have something read, at once or after what is under way for it already. */
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
        // It may have been its turn: then that is another one's.
        this.wake(account);
        throw error;
      } finally {
        waiting.delete(resolve);
      }
    }
    // As many as there is room for.
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

  /** Who owes nothing is made anew when it comes again. */
  private forgetFull(): void {
    if (this.byUser.size < this.lookAt) return;
    const now = this.clock.now();
    for (const [userId, { gate, waiting }] of this.byUser) {
      if (waiting.size === 0 && gate.isFull(now)) this.byUser.delete(userId);
    }
    this.lookAt = Math.max(fewUsers, 2 * this.byUser.size);
  }
}
