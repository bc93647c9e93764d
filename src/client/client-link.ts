import { CloseCode, isTemporary, mayReconnect } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { DrainingMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import { Comeback } from './comeback.js';
import { credentialTimedOut, credentialTimeoutMs } from './credentials.js';
import type { LinkOwner, LinkParts } from './link-owner.js';
import type { Cancel } from './platform.js';
import { Probe } from './probe.js';
import type { Wire } from './wire.js';

/** Keeps a connection open by reconnecting until it is closed for good. */
export class ClientLink {
  #wire: Wire | undefined;
  #opened = false;
  #welcome: WelcomeMessage | undefined;
  /** Number of the current connection attempt. Late results of earlier ones are dropped. */
  #dial = 0;
  #waiting = false;
  #leaving = false;
  #over = false;
  /** Timeout of the handshake, or delay before the next attempt. */
  readonly #alarm: Alarm;
  readonly #slot: Alarm;
  readonly #probe: Probe;
  readonly #comeback: Comeback;
  readonly #cancels: readonly Cancel[];

  constructor(
    private readonly owner: LinkOwner,
    private readonly parts: LinkParts,
  ) {
    const { platform } = parts;
    this.#alarm = new Alarm(platform);
    this.#slot = new Alarm(platform);
    this.#comeback = new Comeback(platform, parts.backoff);
    this.#probe = new Probe(platform, {
      ping: () => {
        const id = owner.nextId();
        this.send(JSON.stringify({ type: 'ping', id }));
        return id;
      },
      dead: () => this.#drop('no answer to a ping'),
    });
    const wake = (): void => this.#wake();
    this.#cancels = [
      platform.onOnline(wake),
      platform.onVisible(wake),
      platform.onCached(() => this.#rest()),
    ];
  }

  /** Whether a message sent now goes out on the current connection. */
  get ready(): boolean {
    return this.#welcome !== undefined;
  }

  /** Whether the connection will be left soon. Requests should wait for the next one. */
  get leaving(): boolean {
    return this.#leaving;
  }

  start(): void {
    void this.#connect();
  }

  send(text: string): void {
    if (this.ready) this.#wire?.send(text);
  }

  /** Pings a link that may be dead. `onAlive` runs if the ping is answered. [L-2.9] */
  probe(onAlive?: () => void): void {
    if (this.ready) this.#probe.start(onAlive);
  }

  /** Drops the connection, or the wait for the next one, and reconnects at once. */
  reconnect(): void {
    if (this.#over) return;
    this.#comeback.force();
    if (this.#waiting) void this.#connect();
    else if (this.ready) this.#leave('reconnecting');
  }

  /** No answer is pending any more. Leaves now if the link is draining. */
  settled(): void {
    if (this.#leaving && !this.owner.busy) this.#leave('draining');
  }

  close(): void {
    this.#end({ code: 1000, reason: 'closed by the application' });
  }

  async #connect(): Promise<void> {
    const dial = ++this.#dial;
    this.#waiting = false;
    this.#opened = false;
    this.#alarm.clear();
    this.owner.status({ state: 'connecting', attempt: this.#comeback.attempt });
    // A listener may have closed the client.
    if (dial !== this.#dial) return;
    this.#alarm.set(credentialTimeoutMs, () => {
      this.#dial += 1;
      this.#noCredential(credentialTimedOut());
    });
    let token: string | undefined;
    try {
      token = await this.parts.credentials.get();
    } catch (error) {
      if (dial === this.#dial) this.#noCredential(error);
      return;
    }
    if (dial === this.#dial) this.#open(token);
  }

  #open(token: string | undefined): void {
    this.#alarm.set(this.parts.connectTimeoutMs, () => this.#drop('no welcome in time'));
    try {
      this.#wire = this.parts.open(token, {
        opened: () => void (this.#opened = true),
        message: (text) => this.#receive(text),
        closed: (code, reason) => this.#down(code, reason, code < 4000),
      });
    } catch (error) {
      // The constructor will throw for the same URL again.
      this.#end({ code: 1006, reason: String(error), error });
    }
  }

  /** Only a `LiveError` with a permanent code closes the client. Other errors are retried. */
  #noCredential(error: unknown): void {
    if (error instanceof LiveError && !isTemporary(error.code)) {
      this.#end({ code: 1006, reason: error.message, error });
      return;
    }
    this.owner.report(error);
    this.#wait(1006, 'no credential', false);
  }

  #receive(text: string): void {
    this.#probe.heard();
    try {
      const message = JSON.parse(text) as ServerMessage;
      if (message.type === 'welcome') this.#up(message);
      else if (message.type === 'pong') this.#probe.answered(message.id);
      // An error in answer to a ping also proves that the link is alive.
      else if (message.type === 'error' && this.#probe.answered(message.id)) return;
      else if (message.type === 'incoming') this.#probe.incoming(message.bytes);
      else if (message.type === 'draining') this.#drain(message);
      else this.owner.message(message);
    } catch (error) {
      this.owner.report(error);
    }
  }

  #up(welcome: WelcomeMessage): void {
    if (this.ready) return;
    this.#alarm.clear();
    this.#welcome = welcome;
    this.#comeback.opened(positiveOrZero(welcome.reconnectSpreadMs));
    this.#probe.watch(welcome.limits);
    this.owner.status({ state: 'open', welcome });
    // A listener may have closed the client.
    if (this.ready) this.owner.up(welcome);
  }

  #drop(reason: string): void {
    this.#wire?.close(reason);
    this.#down(1006, reason, false);
  }

  /** Resets the state of the connection, however it ended. */
  #forget(): void {
    const wasReady = this.ready;
    this.#dial += 1;
    this.#wire = undefined;
    this.#welcome = undefined;
    this.#leaving = false;
    this.#alarm.clear();
    this.#slot.clear();
    this.#probe.stop();
    if (!wasReady) return;
    this.#comeback.ended();
    this.owner.down();
  }

  /** Decides whether and when to reconnect. [L-10.3] */
  #down(code: number, reason: string, crowd: boolean): void {
    const { credentials } = this.parts;
    const welcomed = this.ready;
    this.#forget();
    if (!this.#opened) credentials.reject();
    else if (code === CloseCode.credentialExpired) credentials.expire();
    else if (!mayReconnect(code)) {
      this.#end({ code, reason });
      return;
    }
    this.#wait(code, reason, crowd && welcomed);
  }

  #wait(code: number, reason: string, crowd: boolean): void {
    const delayMs = this.#comeback.delayMs(crowd);
    this.#waiting = true;
    this.#alarm.set(delayMs, () => void this.#connect());
    this.owner.status({ state: 'waiting', delayMs, code, reason });
  }

  /** Picks a random moment in the drain window, so that clients do not reconnect all at once. */
  #drain({ reconnectAfterMs, windowMs }: DrainingMessage): void {
    const delayMs =
      positiveOrZero(reconnectAfterMs) + this.parts.platform.random() * positiveOrZero(windowMs);
    this.#comeback.postpone(delayMs);
    this.#slot.set(delayMs, () => {
      this.#leaving = true;
      this.settled();
    });
  }

  #leave(reason: string): void {
    this.#wire?.close(reason);
    this.#forget();
    void this.#connect();
  }

  /** The network or the page is back. */
  #wake(): void {
    const may = this.#comeback.hurry();
    if (this.#waiting && may) void this.#connect();
    if (this.ready) this.#probe.wake();
  }

  /** The page enters the back/forward cache, where an open connection serves no one. */
  #rest(): void {
    const reason = 'page cached';
    this.#wire?.close(reason);
    this.#forget();
    this.#waiting = true;
    this.owner.status({ state: 'waiting', delayMs: Infinity, code: 1000, reason });
  }

  #end({ code, reason, error }: { code: number; reason: string; error?: unknown }): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = false;
    for (const cancel of this.#cancels) cancel();
    this.#wire?.close(reason);
    this.#forget();
    this.owner.status({ state: 'closed', code, reason, ...(error !== undefined && { error }) });
  }
}
