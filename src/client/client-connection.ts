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
export interface ClientConnection {
  /** Whether the handshake succeeded. */
  readonly isOpened: boolean;
  /** The server's first message. */
  readonly welcome: WelcomeMessage | undefined;
  welcomed(welcome: WelcomeMessage): void;
  send(text: string): void;
  close(reason: string): void;
}

/** Asks for the credential, then opens a WebSocket. */
export function openConnection(parts: LinkParts, events: ConnectionEvents): ClientConnection {
  let wire: Wire | undefined;
  let isOver = false;
  /** Limits the time for the credential, then for the welcome. */
  const alarm = new Alarm(parts.platform);
  const end = (): void => {
    isOver = true;
    alarm.clear();
  };
  const connection = {
    isOpened: false,
    welcome: undefined as WelcomeMessage | undefined,
    welcomed(welcome: WelcomeMessage): void {
      connection.welcome = welcome;
      alarm.clear();
    },
    send: (text: string): void => wire?.send(text),
    close(reason: string): void {
      end();
      wire?.close(reason);
    },
  };
  const closed = (code: number, reason: string): void => {
    end();
    events.closed(code, reason);
  };
  const fail = (error: unknown): void => {
    if (isOver) return;
    end();
    events.noCredential(error);
  };
  const dial = (token: string | undefined): void => {
    if (isOver) return;
    alarm.set(parts.connectTimeoutMs, () => {
      const reason = 'no welcome in time';
      wire?.close(reason);
      closed(1006, reason);
    });
    try {
      wire = parts.open(token, {
        opened: () => void (connection.isOpened = true),
        message: events.message,
        closed,
      });
    } catch (error) {
      end();
      events.impossible(error);
    }
  };
  alarm.set(credentialTimeoutMs, () => fail(credentialTimedOut()));
  void parts.credentials.get().then(dial, fail);
  return connection;
}
