import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { Connection } from './connection.js';
import type { ConnectionIdentity } from '../ports/identity.js';
import type { RenewIdentity } from '../ports/settings.js';

export interface RenewalParts {
  readonly renew: RenewIdentity;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Time limit of one check in milliseconds. Later answers are ignored. */
  readonly timeoutMs: number;
  /** Checks the rights of a connection again, because the user's claims may have changed. */
  readonly rights: { review(connection: Connection, undecided: 'keep'): unknown };
}

/** Returns `undefined` if sessions cannot be checked again. */
export function renewalOf(
  { renew, clock, observer }: Pick<RenewalParts, 'clock' | 'observer'> & Partial<Pick<RenewalParts, 'renew'>>,
  rights: RenewalParts['rights'],
  timeoutMs: number,
): Renewal | undefined {
  return renew && new Renewal({ renew, clock, observer, rights, timeoutMs });
}

/** Milliseconds before the end of a session at which it is checked again. */
const leadMs = 30_000;
/** Maximum and minimum time between two checks of one session. */
const [maxMs, leastMs] = [5_000, 1_000] as const;
/** Maximum concurrent checks. After a deployment many sessions end together. */
const atATime = 16;

/**
 * Extends sliding sessions: each is checked again from shortly before its end until its grace
 * period is over. [L-7.6]
 */
export class Renewal {
  /** Earliest next check of each session. Never during a check, so that each occupies one place. */
  private readonly dueMs = new WeakMap<Connection, number>();
  private open = 0;

  constructor(private readonly parts: RenewalParts) {}

  /** Called about once a second. `leftMs` is the time until the end, negative after it. */
  consider(connection: Connection, leftMs: number): void {
    if (leftMs > leadMs || this.open >= atATime) return;
    if (this.parts.clock.now() < (this.dueMs.get(connection) ?? 0)) return;
    void this.ask(connection, Math.max(leastMs, Math.min(maxMs, leftMs / 2)));
  }

  private async ask(connection: Connection, pauseMs: number): Promise<void> {
    const { clock, observer } = this.parts;
    const askedMs = clock.now();
    this.dueMs.set(connection, Infinity);
    this.open += 1;
    try {
      const identity = await this.inTime(connection);
      if (identity !== undefined) this.goOn(connection, identity);
    } catch (error) {
      observer.failed('asking for a session again', error, connection);
    } finally {
      this.open -= 1;
      // After a slow answer other sessions come first.
      this.dueMs.set(connection, Math.max(askedMs + pauseMs, clock.now() + leastMs));
    }
  }

  /**
   * Without a timeout, a guard that never answers would keep its place forever and block all
   * renewals.
   */
  private async inTime(connection: Connection): Promise<ConnectionIdentity | undefined> {
    const { renew, clock, timeoutMs } = this.parts;
    let stop = (): void => {};
    const late = new Promise<never>((_resolve, reject) => {
      const error = new Error(`The session was not checked within ${String(timeoutMs)} ms`);
      stop = clock.after(timeoutMs, () => reject(error));
    });
    try {
      return await Promise.race([renew(connection), late]);
    } finally {
      stop();
    }
  }

  private goOn(connection: Connection, identity: ConnectionIdentity): void {
    const { expiresAt: before = 0, user, open } = connection;
    const { expiresAt } = identity;
    const isLater = expiresAt === undefined || expiresAt > before;
    if (!open || !isLater || identity.user === null || identity.user.id !== user?.id) return;
    connection.renew(identity);
    const left = expiresAt !== undefined && {
      expiresAt,
      expiresInMs: Math.max(0, expiresAt - this.parts.clock.wallMs()),
    };
    connection.send({ type: 'authenticated', ...left });
    this.parts.rights.review(connection, 'keep');
  }
}
