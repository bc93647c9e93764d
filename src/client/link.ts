import { CloseCode, isTemporary, mayReconnect } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { DrainingMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { askedMs } from './backoff.js';
import type { Credentials } from './credentials.js';
import type { Cancel, Platform } from './platform.js';
import { Probe } from './probe.js';
import type { LiveStatus } from './status.js';
import type { Wire, WireEvents } from './wire.js';

/** A connection that lived this long was a good one: the back-off starts anew after it. */
const stableAfterMs = 5_000;

/** Whom the link tells. */
export interface LinkOwner {
  /** Whether answers are awaited that would be lost by leaving now. */
  readonly busy: boolean;
  status(status: LiveStatus): void;
  up(welcome: WelcomeMessage): void;
  down(): void;
  /** Every message but those that are about the connection itself. */
  message(message: ServerMessage): void;
  report(error: unknown): void;
  nextId(): number;
  /** Milliseconds. */
  backoffMs(attempt: number): number;
}

export interface LinkParts {
  readonly platform: Platform;
  readonly credentials: Credentials;
  /** From the start of the handshake to the welcome. */
  readonly connectTimeoutMs: number;
  open(token: string | undefined, events: WireEvents): Wire;
}

/** One connection after the other, until it is closed for good. */
export class Link {
  #wire: Wire | undefined;
  #opened = false;
  #welcome: WelcomeMessage | undefined;
  #openedAt = 0;
  #attempt = 0;
  /** Counts dials: what comes late from an earlier one is discarded. */
  #dial = 0;
  #waiting = false;
  /** The server asked not to come back before. */
  #notBefore = 0;
  #leaving = false;
  #over = false;
  /** The limit of a handshake, or the wait before the next one. */
  readonly #alarm: Alarm;
  readonly #slot: Alarm;
  readonly #probe: Probe;
  readonly #cancels: readonly Cancel[];

  constructor(
    private readonly owner: LinkOwner,
    private readonly parts: LinkParts,
  ) {
    const { platform } = parts;
    this.#alarm = new Alarm(platform);
    this.#slot = new Alarm(platform);
    this.#probe = new Probe(platform, {
      ping: () => {
        const id = owner.nextId();
        this.send(JSON.stringify({ type: 'ping', id }));
        return id;
      },
      dead: () => this.#drop('no answer to a ping'),
    });
    this.#cancels = [platform.onOnline(() => this.#online()), platform.onVisible(() => this.probe())];
  }

  /** Whether a message that is sent now reaches the server before the next reconnect. */
  get ready(): boolean {
    return this.#welcome !== undefined;
  }

  /** Whether the connection is about to be left: what expects an answer had better wait for the next one. */
  get leaving(): boolean {
    return this.#leaving;
  }

  start(): void {
    void this.#connect();
  }

  send(text: string): void {
    if (this.ready) this.#wire?.send(text);
  }

  /** Checks a link that is suspected to be dead. [L-2.9] */
  probe(): void {
    if (this.ready) this.#probe.start();
  }

  /** Nothing is awaited any more: leaves now if it was to leave. */
  settled(): void {
    if (this.#leaving && !this.owner.busy) this.#leave();
  }

  close(): void {
    this.#end({ code: 1000, reason: 'closed by the application' });
  }

  async #connect(): Promise<void> {
    const dial = ++this.#dial;
    this.#waiting = false;
    this.#opened = false;
    this.#alarm.clear();
    this.owner.status({ state: 'connecting', attempt: this.#attempt });
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
        closed: (code, reason) => this.#down(code, reason),
      });
    } catch (error) {
      // A constructor throws for a URL that it will not like next time either.
      this.#end({ code: 1006, reason: String(error), error });
    }
  }

  /** Only a `LiveError` with a code that is not temporary says that asking again is no use. */
  #noCredential(error: unknown): void {
    if (error instanceof LiveError && !isTemporary(error.code)) {
      this.#end({ code: 1006, reason: error.message, error });
      return;
    }
    this.owner.report(error);
    this.#wait(1006, 'no credential');
  }

  #receive(text: string): void {
    try {
      const message = JSON.parse(text) as ServerMessage;
      if (message.type === 'welcome') this.#up(message);
      else if (message.type === 'pong') this.#probe.answered(message.id);
      // A refused ping is an answer, too: the link lives.
      else if (message.type === 'error' && this.#probe.answered(message.id)) return;
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
    this.#openedAt = this.parts.platform.now();
    this.#probe.watch();
    this.owner.status({ state: 'open', welcome });
    // A listener may have closed it.
    if (this.ready) this.owner.up(welcome);
  }

  #drop(reason: string): void {
    this.#wire?.close(reason);
    this.#down(1006, reason);
  }

  /** Forgets the wire, whichever way it ended. */
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
    if (this.parts.platform.now() - this.#openedAt >= stableAfterMs) this.#attempt = 0;
    this.owner.down();
  }

  /** Decides whether to come back. [L-10.3] */
  #down(code: number, reason: string): void {
    this.#forget();
    if (!this.#opened) this.parts.credentials.invalidate('rejected');
    else if (code === CloseCode.credentialExpired && this.parts.credentials.renewable) {
      this.parts.credentials.invalidate('expired');
    } else if (!mayReconnect(code)) {
      this.#end({ code, reason });
      return;
    }
    this.#wait(code, reason);
  }

  #wait(code: number, reason: string): void {
    const slotMs = this.#notBefore - this.parts.platform.now();
    const delayMs = slotMs > 0 ? slotMs : this.owner.backoffMs(this.#attempt++);
    this.#waiting = true;
    this.#alarm.set(delayMs, () => void this.#connect());
    this.owner.status({ state: 'waiting', delayMs, code, reason });
  }

  /** Picks the moment to go elsewhere: its own within the window, so that not everybody comes at once. */
  #drain({ reconnectAfterMs, windowMs }: DrainingMessage): void {
    const delayMs = askedMs(reconnectAfterMs) + this.parts.platform.random() * askedMs(windowMs);
    this.#notBefore = this.parts.platform.now() + delayMs;
    this.#slot.set(delayMs, () => {
      this.#leaving = true;
      this.settled();
    });
  }

  #leave(): void {
    this.#wire?.close('draining');
    this.#forget();
    void this.#connect();
  }

  #online(): void {
    if (this.#waiting && this.parts.platform.now() >= this.#notBefore) {
      this.#attempt = 0;
      void this.#connect();
    }
    this.probe();
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
