import { CloseCode, CloseReason } from '../../protocol/codes.js';
import type { Connection } from './connection.js';
import type { Registry } from './registry.js';
import type { Clock } from '../ports/clock.js';

/** Closes that one turn of the event loop starts at most, so that a drain does not stop everything else. */
const closesPerTurn = 250;

/** Milliseconds after the deadline in which the terminated sockets report their end. */
const lastWordsMs = 250;

export interface DrainResult {
  /** Connections that were there when the drain began. */
  readonly connections: number;
  /** Those of them that had to be terminated at the deadline. */
  readonly terminated: number;
}

/**
 * Asks every connection to close, and ends those that have not within the time. It ends itself at most 250 ms later,
 * also where a connection never reports its end. [L-10.1] [L-10.2]
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

  /** To be called whenever a connection has ended. */
  check(): void {
    if (this.registry.size === 0) this.end();
  }

  private closeSome(rest: Iterator<Connection>): void {
    for (let i = 0; i < closesPerTurn; i++) {
      const { value, done } = rest.next();
      if (done === true) return;
      // One that cannot be closed is terminated at the deadline; it must not keep the others.
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
    // Whatever is wrong with one connection, the drain goes on and ends in time.
  }
}
