import { credentialExpired, isTemporary, mayReconnect } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import { type ClientConnection, openConnection } from './client-connection.js';
import { Comeback } from './comeback.js';
import type { LinkOwner, LinkParts } from './link-owner.js';
import type { Cancel } from './platform.js';
import { type Probe, probeOf } from './probe.js';

/**
 * Keeps a connection open by reconnecting until it is closed for good. A connection that the server
 * drains is replaced by its successor, and delivers until that one has recovered. [L-10.7]
 */
export class ClientLink {
  /** The connection in use, welcomed by the server. */
  #current: ClientConnection | undefined;
  /** The connection that is being opened. */
  #next: ClientConnection | undefined;
  /** The predecessor, kept until the current connection has taken over everything. */
  #old: ClientConnection | undefined;
  #waiting = false;
  #over = false;
  /** Delay before the next attempt, or before the current connection is replaced. */
  readonly #alarm: Alarm;
  readonly #probe: Probe;
  readonly #comeback: Comeback;
  readonly #unlisten: Cancel;
  readonly #owner: LinkOwner;
  readonly #parts: LinkParts;

  constructor(owner: LinkOwner, parts: LinkParts) {
    this.#owner = owner;
    this.#parts = parts;
    const { platform } = parts;
    this.#alarm = new Alarm(platform);
    this.#comeback = new Comeback(platform, parts.backoff);
    this.#probe = probeOf(platform, { ping: () => owner.ping(), dead: () => this.#dead() });
    this.#unlisten = platform.listen({
      back: () => this.#wake(),
      focus: () => this.#waiting && this.#wake(), // says nothing about an open link
      cached: () => this.#rest(),
    });
  }

  /** Whether a message sent now goes out on the current connection. */
  get ready(): boolean {
    return !!this.#current;
  }

  /** Connects at once. */
  start(): void {
    this.#waiting = false;
    this.#alarm.clear();
    this.#connecting();
    // A listener may have closed the client.
    if (!this.#over) this.#open();
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
    if (this.#over) return;
    this.#comeback.force();
    if (this.ready) this.#closeAll('reconnecting');
    else if (!this.#waiting) return;
    this.start();
  }

  /** Something was answered. The predecessor is closed once nothing relies on it. */
  settled(): void {
    if (this.#old && this.ready && !this.#owner.owed) this.#closeOld('draining');
  }

  close(): void {
    this.#end(1000, 'closed by the application');
  }

  /** Opens the next connection, one at a time. */
  #open(): void {
    if (this.#next) return;
    const connection: ClientConnection = openConnection(this.#parts, {
      message: (text) => this.#receive(connection, text),
      noCredential: (error) => this.#noCredential(error),
      // The constructor will throw for the same URL again.
      impossible: (error) => this.#end(1006, String(error), error),
      closed: (code, reason) => this.#closed(connection, code, reason),
    });
    this.#next = connection;
  }

  /** Only a `LiveError` with a permanent code closes the client. Other errors are retried. */
  #noCredential(error: unknown): void {
    this.#next = undefined;
    if (!this.ready && error instanceof LiveError && !isTemporary(error.code))
      return this.#end(1006, error.message, error);
    this.#owner.emit('error', error);
    this.#retry(1006, 'no credential', false);
  }

  #receive(connection: ClientConnection, text: string): void {
    if (connection === this.#current) this.#probe.heard();
    try {
      const message = JSON.parse(text) as ServerMessage;
      if (connection === this.#next) {
        if (message.type === 'welcome') this.#up(connection, message);
      } else if (connection === this.#old) this.#owner.late(message);
      else this.#handle(message);
    } catch (error) {
      this.#owner.emit('error', error);
    }
  }

  #handle(message: ServerMessage): void {
    if (message.type === 'pong') this.#probe.answered(message.id);
    // An error in answer to a ping also proves that the link is alive.
    else if (message.type === 'error' && this.#probe.answered(message.id)) return;
    else if (message.type === 'incoming') this.#probe.incoming(message.bytes);
    else if (message.type === 'draining')
      this.#alarm.set(this.#comeback.postpone(message), () => this.#open());
    else if (message.type !== 'welcome') this.#owner.message(message);
  }

  #up(connection: ClientConnection, welcome: WelcomeMessage): void {
    connection.welcomed(welcome);
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
    this.#probe.watch(welcome.limits);
    this.#owner.setStatus({ state: 'open', welcome });
    // A listener may have closed the client.
    if (this.#current === connection) this.#owner.up(welcome, isBack);
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
    this.#probe.stop();
    this.#comeback.ended();
    this.#owner.down(isReplaced);
  }

  /** [L-10.3] */
  #closed(connection: ClientConnection, code: number, reason: string, isCrowd = code < 4000): void {
    if (connection === this.#old) return this.#closeOld(reason);
    const wasCurrent = connection === this.#current;
    if (wasCurrent) this.#down();
    else this.#next = undefined;
    if (!connection.isOpened) this.#parts.credentials.reject();
    else if (code === credentialExpired) this.#parts.credentials.expire();
    else if (!mayReconnect(code)) return this.#end(code, reason);
    if (wasCurrent) this.#fallBack();
    if (this.#over) return;
    if (!this.#next) this.#retry(code, reason, isCrowd && wasCurrent);
    // The successor is already being opened.
    else if (!this.ready) this.#connecting();
  }

  #connecting(): void {
    this.#owner.setStatus({ state: 'connecting', attempt: this.#comeback.attempt });
  }

  #retry(code: number, reason: string, isCrowd: boolean): void {
    const delayMs = this.#comeback.delayMs(isCrowd);
    if (this.ready) return this.#alarm.set(delayMs, () => this.#open());
    this.#alarm.set(delayMs, () => this.start());
    this.#wait(delayMs, code, reason);
  }

  #wait(delayMs: number, code: number, reason: string): void {
    this.#waiting = true;
    this.#owner.setStatus({ state: 'waiting', delayMs, code, reason });
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
    this.#over = true;
    this.#unlisten();
    this.#closeAll(reason);
    this.#owner.setStatus({ state: 'closed', code, reason, ...(error !== undefined && { error }) });
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
    this.#owner.oldDown();
  }
}
