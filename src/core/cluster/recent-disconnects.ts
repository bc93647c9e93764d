import type { Clock } from '../ports/clock.js';
import type { DisconnectUser } from './signal.js';

/** Longer than a handshake may be undecided. */
const keepMs = 60_000;
const maxUsers = 10_000;

interface Disconnect {
  readonly atMs: number;
  readonly command: DisconnectUser;
}

/**
 * Users whose connections were closed a moment ago: a handshake that had begun before was let in by what was true then, and
 * comes too late to be found. [L-3.13]
 */
export class RecentDisconnects {
  private readonly byUser = new Map<string, Disconnect>();

  constructor(private readonly clock: Clock) {}

  /** @param atMs when the command was given, on this instance's clock */
  add(command: DisconnectUser, atMs: number): void {
    this.byUser.delete(command.user);
    this.byUser.set(command.user, { atMs, command });
    const oldestMs = this.clock.now() - keepMs;
    for (const [user, { atMs }] of this.byUser) {
      if (atMs > oldestMs && this.byUser.size <= maxUsers) return;
      this.byUser.delete(user);
    }
  }

  /** The command that means a connection of this user whose handshake began then. */
  meant(user: string, handshakeStartedMs: number): DisconnectUser | undefined {
    const found = this.byUser.get(user);
    return found !== undefined && handshakeStartedMs < found.atMs ? found.command : undefined;
  }
}
