import type { WelcomeMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { credentialTimedOut, credentialTimeoutMs } from './credentials.js';
import type { LinkParts } from './link-owner.js';
import type { Wire } from './wire.js';

/** None is called after `close`, and nothing follows an end. */
export interface ConnectionEvents {
  message(text: string): void;
  noCredential(error: unknown): void;
  /** The WebSocket cannot be constructed. */
  impossible(error: unknown): void;
  /** The handshake failed, or the connection ended. */
  closed(code: number, reason: string): void;
}

/** One connection, from its credential to its end. */
export class ClientConnection {
  /** Whether the handshake succeeded. */
  opened = false;
  /** The server's first message. */
  welcome: WelcomeMessage | undefined;
  #wire: Wire | undefined;
  #over = false;
  /** Limits the time for the credential, then for the welcome. */
  readonly #alarm: Alarm;

  constructor(
    private readonly parts: LinkParts,
    private readonly events: ConnectionEvents,
  ) {
    this.#alarm = new Alarm(parts.platform);
  }

  async open(): Promise<void> {
    const fail = (error: unknown): void => {
      if (this.#over) return;
      this.#end();
      this.events.noCredential(error);
    };
    this.#alarm.set(credentialTimeoutMs, () => fail(credentialTimedOut()));
    let token: string | undefined;
    try {
      token = await this.parts.credentials.get();
    } catch (error) {
      fail(error);
    }
    if (!this.#over) this.#dial(token);
  }

  welcomed(welcome: WelcomeMessage): void {
    this.welcome = welcome;
    this.#alarm.clear();
  }

  send(text: string): void {
    this.#wire?.send(text);
  }

  close(reason: string): void {
    this.#end();
    this.#wire?.close(reason);
  }

  #dial(token: string | undefined): void {
    const { events } = this;
    this.#alarm.set(this.parts.connectTimeoutMs, () => {
      const reason = 'no welcome in time';
      this.close(reason);
      events.closed(1006, reason);
    });
    try {
      this.#wire = this.parts.open(token, {
        opened: () => void (this.opened = true),
        message: events.message,
        closed: (code, reason) => {
          this.#end();
          events.closed(code, reason);
        },
      });
    } catch (error) {
      this.#end();
      events.impossible(error);
    }
  }

  #end(): void {
    this.#over = true;
    this.#alarm.clear();
  }
}
