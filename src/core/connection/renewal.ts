import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { Connection } from './connection.js';
import type { ConnectionIdentity } from './live-user.js';

/** Says who is behind a connection now; `undefined`: nobody any more. Rejects when nobody can tell. */
export type RenewIdentity = (connection: Connection) => Promise<ConnectionIdentity | undefined>;

export interface RenewalParts {
  readonly renew: RenewIdentity;
  readonly clock: Clock;
  readonly observer: Observer;
  /** Asks for the rights of a connection again, since its user's claims may be others now. */
  readonly rights: { review(connection: Connection, undecided: 'keep'): unknown };
}

/** `undefined` where nobody can be asked. */
export function renewalOf(
  { renew, clock, observer }: Omit<RenewalParts, 'renew' | 'rights'> & Partial<Pick<RenewalParts, 'renew'>>,
  rights: RenewalParts['rights'],
): Renewal | undefined {
  return renew && new Renewal({ renew, clock, observer, rights });
}

/** Milliseconds before the end of a session from which on it is asked for again. */
const leadMs = 30_000;
/** Longest and shortest time between two questions about one session. */
const [mostMs, leastMs] = [5_000, 1_000] as const;
/** Questions at a time: after a deploy many sessions end together. */
const atATime = 16;

/** Lets sessions that slide go on: each is asked for again before it ends, and until its grace is over. [L-7.6] */
export class Renewal {
  private readonly dueMs = new WeakMap<Connection, number>();
  private open = 0;

  constructor(private readonly parts: RenewalParts) {}

  /** To be called about once a second; `leftMs` is until the end, and below 0 after it. */
  consider(connection: Connection, leftMs: number): void {
    if (leftMs > leadMs || this.open >= atATime) return;
    const now = this.parts.clock.now();
    if (now < (this.dueMs.get(connection) ?? 0)) return;
    this.dueMs.set(connection, now + Math.max(leastMs, Math.min(mostMs, leftMs / 2)));
    void this.ask(connection);
  }

  private async ask(connection: Connection): Promise<void> {
    this.open += 1;
    try {
      const identity = await this.parts.renew(connection);
      if (identity !== undefined) this.goOn(connection, identity);
    } catch (error) {
      this.parts.observer.failed('asking for a session again', error, connection);
    } finally {
      this.open -= 1;
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
