import { CloseCode } from '../../protocol/codes.js';
import type { Cancel, Clock } from '../ports/clock.js';
import type { Connection } from './connection.js';

const tickMs = 1_000;

/**
 * Closes the connections whose credential has expired and was not renewed in time. It looks at all of them now and then:
 * a timer for each would have to be right for an end in a hundred years, and when the clock jumps. [L-7.4]
 */
export class CredentialWatch {
  private cancel: Cancel | undefined;

  constructor(
    private readonly graceMs: number,
    private readonly clock: Clock,
    private readonly connections: Iterable<Connection>,
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
    const latest = this.clock.wallMs() - this.graceMs;
    for (const connection of this.connections) {
      const { expiresAt } = connection;
      if (expiresAt !== undefined && expiresAt <= latest) {
        connection.close(CloseCode.credentialExpired, 'credential expired');
      }
    }
  }
}
