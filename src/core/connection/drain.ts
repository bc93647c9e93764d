import { CloseCode, CloseReason } from '../../protocol/codes.js';
import type { Connection } from './connection.js';
import type { Registry } from './registry.js';
import type { Clock } from '../ports/clock.js';

/** Maximum closes per turn of the event loop, so that a drain does not block everything else. */
const closesPerTurn = 250;

/** Milliseconds after the deadline for terminated sockets to report their end. */
const lastWordsMs = 250;

export interface DrainResult {
  /** Number of connections when the drain began. */
  readonly connections: number;
  /** Number of connections terminated at the deadline. */
  readonly terminated: number;
}

/**
 * Closes every connection, and terminates those still open at the deadline. Completes at most 250
 * ms later, even if a connection never reports its end. [L-10.1] [L-10.2]
 */
export class Drain {
  private readonly connections: number;
  private terminated = 0;
  private over: (result: DrainResult) => void = () => {};
  readonly done = new Promise<DrainResult>((resolve) => {
    this.over = resolve;
  });
  private cancelDeadline = (): void => {};

  constructor(
    private readonly registry: Registry,
    private readonly clock: Clock,
    timeoutMs: number,
  ) {
    this.connections = registry.size;
    this.cancelDeadline = clock.after(timeoutMs, () => this.terminateRest());
    this.closeSome([...registry].values());
    this.check();
  }

  /** Call this when a connection has ended. */
  check(): void {
    if (this.registry.size === 0) this.end();
  }

  private closeSome(rest: Iterator<Connection>): void {
    for (let i = 0; i < closesPerTurn; i++) {
      const { value, done } = rest.next();
      if (done === true) return;
      // A connection that cannot be closed is terminated at the deadline and must not block the
      // others.
      attempt(() => value.close(CloseCode.goingAway, CloseReason.serverShuttingDown));
    }
    this.clock.soon(() => this.closeSome(rest));
  }

  private terminateRest(): void {
    const rest = [...this.registry];
    this.terminated = rest.length;
    this.cancelDeadline = this.clock.after(lastWordsMs, () => this.end());
    for (const connection of rest) {
      attempt(() => connection.terminate(CloseCode.goingAway, 'drain deadline'));
    }
  }

  private end(): void {
    this.cancelDeadline();
    this.over({ connections: this.connections, terminated: this.terminated });
  }
}

function attempt(run: () => void): void {
  try {
    run();
  } catch {
    // Ignore errors of one connection, so that the drain completes in time.
  }
}
