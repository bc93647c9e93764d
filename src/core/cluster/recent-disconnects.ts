import type { Clock } from '../ports/clock.js';
import type { DisconnectUser } from './signal.js';

/** Longer than a handshake can take. */
const keepMs = 60_000;
const maxUsers = 10_000;

interface Disconnect {
  readonly atMs: number;
  readonly command: DisconnectUser;
}

/**
 * Users who were disconnected recently. A handshake that started before the disconnect was
 * authorized before it and completes too late to be found in the registry. [L-3.13]
 */
export class RecentDisconnects {
  private readonly byUser = new Map<string, Disconnect>();

  constructor(private readonly clock: Clock) {}

  /** @param atMs - time of the command on this instance's clock */
  add(command: DisconnectUser, atMs: number): void {
    this.byUser.delete(command.user);
    this.byUser.set(command.user, { atMs, command });
    const oldestMs = this.clock.now() - keepMs;
    for (const [user, { atMs }] of this.byUser) {
      if (atMs > oldestMs && this.byUser.size <= maxUsers) return;
      this.byUser.delete(user);
    }
  }

  /**
   * Returns the command that applies to a connection of this user whose handshake started at this
   * time.
   */
  meant(user: string, handshakeStartedMs: number): DisconnectUser | undefined {
    const found = this.byUser.get(user);
    return found !== undefined && handshakeStartedMs < found.atMs ? found.command : undefined;
  }
}
