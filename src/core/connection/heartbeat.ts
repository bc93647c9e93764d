import type { Cancel, Clock } from '../ports/clock.js';
import { CloseCode } from '../../protocol/codes.js';
import type { Connection } from './connection.js';

export interface HeartbeatOptions {
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  /** Milliseconds that data may wait for a peer, including a ping behind it. */
  readonly maxQueueAgeMs: number;
}

/**
 * Pings every connection with a single timer. Ends peers that do not answer, or that send but do
 * not read. Time in which the process was suspended does not count, because pongs may wait unread
 * in the kernel. [L-8.1] [L-8.2] [L-9.5]
 */
export class Heartbeat {
  private readonly tickMs: number;
  private readonly maxUnreadMs: number;
  private cancel: Cancel | undefined;
  private lastTickMs = 0;
  /** Total milliseconds of suspension. */
  private standstillMs = 0;

  constructor(
    private readonly options: HeartbeatOptions,
    private readonly clock: Clock,
    private readonly connections: Iterable<Connection>,
  ) {
    const shorter = Math.min(options.pingIntervalMs, options.pongTimeoutMs);
    this.maxUnreadMs = Math.max(options.pongTimeoutMs, options.maxQueueAgeMs);
    this.tickMs = Math.max(5, Math.min(1_000, Math.floor(shorter / 10)));
  }

  start(): void {
    this.lastTickMs = this.clock.now();
    this.plan();
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  /**
   * Spreads first pings over the interval, so that simultaneous connections are not pinged at once.
   */
  welcome(connection: Connection): void {
    connection.pingDueMs = this.awakeMs() + this.clock.random() * this.options.pingIntervalMs;
  }

  private plan(): void {
    this.cancel = this.clock.after(this.tickMs, () => this.tick());
  }

  private tick(): void {
    const now = this.clock.now();
    const late = now - this.lastTickMs - this.tickMs;
    this.lastTickMs = now;
    if (late > this.tickMs) this.standstillMs += late;
    const awake = this.awakeMs();
    for (const connection of this.connections) this.look(connection, awake);
    this.plan();
  }

  private look(connection: Connection, awake: number): void {
    const { pingSentMs, pongAwaitedMs, readingPaused, outbox } = connection;
    if (readingPaused) return;
    // A pong arrives after everything sent before its ping, so a large answer extends the timeout.
    // [L-8.6]
    const spareMs = pongAwaitedMs === undefined ? 0 : outbox.pongSpareMs;
    if (pingSentMs !== undefined && awake - pingSentMs >= this.options.pongTimeoutMs + spareMs) {
      connection.terminate(CloseCode.noPong, 'no pong');
    } else if (pongAwaitedMs !== undefined && awake - pongAwaitedMs >= this.maxUnreadMs + spareMs) {
      connection.tooSlow();
    } else if (awake >= connection.pingDueMs) {
      connection.pingDueMs = awake + this.options.pingIntervalMs;
      this.ping(connection, awake);
    } else if (pongAwaitedMs === undefined && outbox.unconfirmedBytes > 0) {
      // Ping soon after a large answer, so that the pong ends its extra time.
      this.ping(connection, awake);
    }
  }

  private ping(connection: Connection, awake: number): void {
    connection.pingSentMs ??= awake;
    if (connection.pongAwaitedMs === undefined) connection.outbox.pinged();
    connection.pongAwaitedMs ??= awake;
    connection.pongsDue += 1;
    connection.socket.ping();
  }

  private awakeMs(): number {
    return this.clock.now() - this.standstillMs;
  }
}
