import type { ServerMessage, WelcomeMessage } from '../protocol/messages.js';

/** A part of the client that uses the connection. The link calls all parts in turn. */
export interface SessionPart {
  /** Whether it still relies on the predecessor of the current connection. */
  readonly owed?: boolean;
  /** A connection is ready: a new one, or one that `isBack` because its successor is over. */
  up?(welcome: WelcomeMessage, isBack: boolean): void;
  /** The connection is over, or, if `isReplaced`, stays open as long as something is `owed`. */
  down?(isReplaced: boolean): void;
  /** The predecessor of the current connection is closed. */
  oldDown?(): void;
  /** Returns whether the message was for this part. Then the others do not get it. */
  message?(message: ServerMessage): boolean;
  /** Called with every message of the predecessor. */
  late?(message: ServerMessage): void;
  /** The client is closed for good, with an error for subscriptions unless it closed itself. */
  end?(closed: Error, error: Error | undefined): void;
}
