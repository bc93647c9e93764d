import { isTemporary } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { type Credentials, credentialTimedOut, credentialTimeoutMs } from './credentials.js';
import type { Emit } from './live-client.events.js';
import type { Platform } from './platform.js';
import type { Backoff } from './backoff.js';
import type { Wire, WireEvents } from './wire.js';

export interface LinkOptions {
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly backoff: Backoff;
  /** Time limit from the start of the handshake to the welcome. */
  readonly connectTimeoutMs: number;
  readonly emit: Emit;
  open(token: string | undefined, events: WireEvents): Wire;
}

/** None is called after `close`, and nothing follows an end. */
export interface ConnectionEvents {
  /** Called with the server's first message. */
  welcomed(welcome: WelcomeMessage): void;
  message(message: ServerMessage): void;
  /** There is no credential or no WebSocket, and if `isFinal` a retry will fail like that. */
  failed(error: unknown, isFinal: boolean): void;
  /** The handshake failed, or the connection ended. */
  closed(code: number, reason: string): void;
}

/** One connection, from its credential to its end. */
export interface ClientConnection {
  /** Whether the handshake succeeded. */
  readonly isOpened: boolean;
  readonly welcome: WelcomeMessage | undefined;
  send(text: string): void;
  close(reason: string): void;
}

/** Asks for the credential, then opens a WebSocket. */
export function openConnection(options: LinkOptions, events: ConnectionEvents): ClientConnection {
  let wire: Wire | undefined;
  let isOver = false;
  /** Limits the time for the credential, then for the welcome. */
  const alarm = new Alarm(options.platform);
  const end = (): void => {
    isOver = true;
    alarm.clear();
  };
  const connection = {
    isOpened: false,
    welcome: undefined as WelcomeMessage | undefined,
    send: (text: string): void => wire?.send(text),
    close(reason: string): void {
      end();
      wire?.close(reason);
    },
  };
  const receive = (text: string): void => {
    try {
      const message = JSON.parse(text) as ServerMessage;
      if (connection.welcome) events.message(message);
      else if (message.type === 'welcome') {
        alarm.clear();
        connection.welcome = message;
        events.welcomed(message);
      }
    } catch (error) {
      options.emit('error', error);
    }
  };
  const closed = (code: number, reason: string): void => {
    end();
    events.closed(code, reason);
  };
  const fail = (error: unknown, isFinal: boolean): void => {
    if (isOver) return;
    end();
    events.failed(error, isFinal);
  };
  const dial = (token: string | undefined): void => {
    if (isOver) return;
    alarm.set(options.connectTimeoutMs, () => {
      const reason = 'no welcome in time';
      wire?.close(reason);
      closed(1006, reason);
    });
    try {
      wire = options.open(token, {
        opened: () => void (connection.isOpened = true),
        message: receive,
        closed,
      });
    } catch (error) {
      // The constructor will throw for the same URL again.
      fail(error, true);
    }
  };
  const noCredential = (error: unknown): void =>
    fail(error, error instanceof LiveError && !isTemporary(error.code));
  alarm.set(credentialTimeoutMs, () => noCredential(credentialTimedOut()));
  void options.credentials.get().then(dial, noCredential);
  return connection;
}
