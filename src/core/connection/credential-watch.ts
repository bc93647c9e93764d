import { CloseCode } from '../../protocol/codes.js';
import type { LiveLimits } from '../ports/limits.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Connection } from './connection.js';
import { type Renewal, type RenewalParts, renewalOf } from './renewal.js';

const tickMs = 1_000;

/**
 * Closes connections whose credential has expired and was not renewed in time. Checks all of them
 * periodically, because single timers would break for distant expiries and clock jumps. [L-7.4]
 */
export class CredentialWatch {
  private cancel: Cancel | undefined;

  constructor(
    private readonly graceMs: number,
    private readonly clock: Clock,
    private readonly connections: Iterable<Connection>,
    private readonly renewal?: Renewal,
  ) {}

  start(): void {
    this.cancel = this.clock.after(tickMs, () => {
      this.look();
      this.start();
    });
  }

  stop(): void {
    this.cancel?.();
  }

  private look(): void {
    const now = this.clock.wallMs();
    for (const connection of this.connections) {
      const { expiresAt } = connection;
      if (expiresAt === undefined) continue;
      if (expiresAt <= now - this.graceMs) {
        connection.close(CloseCode.credentialExpired, 'credential expired');
      } else this.renewal?.consider(connection, expiresAt - now);
    }
  }
}

/** A watch that also renews sessions, if the application supports it. [L-7.6] */
export function watchCredentials(
  {
    credentialGraceMs,
    authorizationTimeoutMs,
  }: Pick<LiveLimits, 'credentialGraceMs' | 'authorizationTimeoutMs'>,
  connections: Iterable<Connection>,
  outside: Pick<RenewalParts, 'clock' | 'observer'> & Partial<Pick<RenewalParts, 'renew'>>,
  rights: RenewalParts['rights'],
): CredentialWatch {
  const renewal = renewalOf(outside, rights, authorizationTimeoutMs);
  return new CredentialWatch(credentialGraceMs, outside.clock, connections, renewal);
}
