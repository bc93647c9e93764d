import { credentialExpired, mayReconnect } from '../protocol/codes.js';
import type { RequestId } from '../protocol/client-messages.js';
import type { ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import { type ClientConnection, type LinkOptions, openConnection } from './client-connection.js';
import { Comeback } from './comeback.js';
import { LiveClientError } from './live-client.error.js';
import type { Cancel } from './platform.js';
import { type Probe, probeOf } from './probe.js';
import type { SessionPart } from './session-part.js';
import type { LiveStatus } from './status.js';

/**
 * Keeps a connection open by reconnecting until it is closed for good. A connection that the server
 * drains is replaced by its successor, and delivers until that one has recovered. [L-10.7]
 */
export class ClientLink {
  status: LiveStatus = { state: 'connecting', attempt: 0 };
  /** In the order in which they get messages. */
  readonly parts: SessionPart[];
  /** The connection in use, welcomed by the server. */
  #current: ClientConnection | undefined;
  /** The connection that is being opened. */
  #next: ClientConnection | undefined;
  /** The predecessor, kept until the current connection has taken over everything. */
  #old: ClientConnection | undefined;
  /** Delay before the next attempt, or before the current connection is replaced. */
  readonly #alarm: Alarm;
  readonly #probe: Probe;
  readonly #comeback: Comeback;
  readonly #unlisten: Cancel;
  readonly #options: LinkOptions;

  /** @param ping - sends a ping on the current connection and returns its id */
  constructor(options: LinkOptions, ping: () => RequestId) {
    this.#options = options;
    const { platform } = options;
    this.#alarm = new Alarm(platform);
    this.#comeback = new Comeback(platform, options.backoff);
    this.#probe = probeOf(platform, { ping, dead: () => this.#dead() });
    this.parts = [this.#probe];
    this.#unlisten = platform.listen({
      back: () => this.#wake(),
      focus: () => this.#waiting && this.#wake(), // says nothing about an open link
      cached: () => this.#rest(),
    });
  }

  get #waiting(): boolean {
    return this.status.state === 'waiting';
  }

  get #over(): boolean {
    return this.status.state === 'closed';
  }

  /** Whether a message sent now goes out on the current connection. */
  get ready(): boolean {
    return !!this.#current;
  }

  /** Opens the next connection at once, one at a time. */
  start(): void {
    this.#alarm.clear();
    if (!this.ready) this.#setStatus({ state: 'connecting', attempt: this.#comeback.attempt });
    // A listener may have closed the client.
    if (this.#over || this.#next) return;
    const connection: ClientConnection = openConnection(this.#options, {
      welcomed: (welcome) => this.#up(connection, welcome),
      message: (message) => this.#receive(connection, message),
      failed: (error, isFinal) => this.#failed(error, isFinal),
      closed: (code, reason) => this.#closed(connection, code, reason),
    });
    this.#next = connection;
  }

  send(text: string): void {
    this.#current?.send(text);
  }

  /** Pings a link that may be dead. `onAlive` runs if the ping is answered. [L-2.9] */
  probe(onAlive?: () => void): void {
    if (this.ready) this.#probe.start(onAlive);
  }

  /** Drops the connection, or the wait for the next one, and reconnects at once. */
  reconnect(): void {
    this.#comeback.force();
    if (this.ready) this.#closeAll('reconnecting');
    else if (!this.#waiting) return;
    this.start();
  }

  /** Something was answered. The predecessor is closed once nothing relies on it. */
  settled(): void {
    if (this.#old && this.ready && !this.parts.some(({ owed }) => owed)) this.#closeOld('draining');
  }

  close(): void {
    this.#end(1000, 'closed by the application');
  }

  /** No connection was opened. */
  #failed(error: unknown, isFinal: boolean): void {
    this.#next = undefined;
    if (isFinal && !this.ready) return this.#end(1006, (error as Error).message, error);
    this.#options.emit('error', error);
    this.#retry(1006, 'no credential', false);
  }

  #receive(connection: ClientConnection, message: ServerMessage): void {
    if (connection === this.#old) for (const part of this.parts) part.late?.(message);
    else if (!this.parts.some((part) => part.message?.(message)) && message.type === 'draining')
      this.#alarm.set(this.#comeback.postpone(message), () => this.start());
  }

  #up(connection: ClientConnection, welcome: WelcomeMessage): void {
    const before = this.#current;
    this.#next = undefined;
    if (before) {
      this.#closeOld('draining');
      this.#old = before;
      this.#down(true);
    }
    this.#comeback.opened(positiveOrZero(welcome.reconnectSpreadMs));
    this.#use(connection, welcome, false);
    this.settled();
  }

  /** Makes a new connection the current one, or one that `isBack`. */
  #use(connection: ClientConnection, welcome: WelcomeMessage, isBack: boolean): void {
    this.#current = connection;
    this.#setStatus({ state: 'open', welcome });
    // A listener may have closed the client.
    if (this.#current === connection) for (const part of this.parts) part.up?.(welcome, isBack);
  }

  /** The current connection is over. Its predecessor takes over again, if it is still there. */
  #fallBack(): void {
    const old = this.#old;
    this.#old = undefined;
    if (old?.welcome) this.#use(old, old.welcome, true);
  }

  #dead(): void {
    if (!this.#current) return;
    const reason = 'no answer to a ping';
    this.#current.close(reason);
    this.#closed(this.#current, 1006, reason, false);
  }

  /** The current connection is over, or has a successor. */
  #down(isReplaced = false): void {
    if (!this.ready) return;
    this.#current = undefined;
    this.#alarm.clear();
    this.#comeback.ended();
    for (const part of this.parts) part.down?.(isReplaced);
  }

  /** [L-10.3] */
  #closed(connection: ClientConnection, code: number, reason: string, isCrowd = code < 4000): void {
    if (connection === this.#old) return this.#closeOld(reason);
    const wasCurrent = connection === this.#current;
    if (wasCurrent) this.#down();
    else this.#next = undefined;
    if (!connection.isOpened) this.#options.credentials.reject();
    else if (code === credentialExpired) this.#options.credentials.expire();
    else if (!mayReconnect(code)) return this.#end(code, reason);
    if (wasCurrent) this.#fallBack();
    if (this.#over) return;
    if (!this.#next) this.#retry(code, reason, isCrowd && wasCurrent);
    // The successor is already being opened.
    else this.start();
  }

  #retry(code: number, reason: string, isCrowd: boolean): void {
    const delayMs = this.#comeback.delayMs(isCrowd);
    this.#alarm.set(delayMs, () => this.start());
    if (!this.ready) this.#wait(delayMs, code, reason);
  }

  #wait(delayMs: number, code: number, reason: string): void {
    this.#setStatus({ state: 'waiting', delayMs, code, reason });
  }

  /** The network or the page is back. A page may come out of the cache before its slot. */
  #wake(): void {
    const may = this.#comeback.hurry();
    if (this.#waiting && may) this.start();
    else if (this.#waiting && !this.#alarm.armed) this.#retry(1000, 'page cached', false);
    if (this.ready) this.#probe.wake();
  }

  /** The page enters the back/forward cache, where an open connection serves no one. */
  #rest(): void {
    this.#closeAll('page cached');
    this.#wait(Infinity, 1000, 'page cached');
  }

  #end(code: number, reason: string, error?: unknown): void {
    if (this.#over) return;
    const status = { state: 'closed', code, reason, ...(error !== undefined && { error }) } as const;
    this.status = status;
    this.#unlisten();
    this.#closeAll(reason);
    this.#setStatus(status);
    const closed = new LiveClientError('closed', `The client is closed: ${reason}`, { code, reason });
    const given = error instanceof Error ? error : closed;
    for (const part of this.parts)
      part.end?.(closed, code === 1000 && error === undefined ? undefined : given);
  }

  #setStatus(status: LiveStatus): void {
    this.status = status;
    this.#options.emit('status', status);
  }

  #closeAll(reason: string): void {
    this.#alarm.clear();
    this.#next?.close(reason);
    this.#next = undefined;
    this.#closeOld(reason);
    this.#current?.close(reason);
    this.#down();
  }

  #closeOld(reason: string): void {
    const old = this.#old;
    if (!old) return;
    this.#old = undefined;
    old.close(reason);
    for (const part of this.parts) part.oldDown?.();
  }
}
