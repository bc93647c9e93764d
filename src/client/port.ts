import type { LiveError } from '../protocol/live.error.js';
import type { ClientMessage, TopicRequest } from '../protocol/client-messages.js';
import type {
  EventMessage,
  LostMessage,
  PageMessage,
  SubscribedMessage,
  UnsubscribedMessage,
} from '../protocol/messages.js';
import type { Platform } from './platform.js';

/** A message about a topic. */
export type Incoming = SubscribedMessage | PageMessage | EventMessage | LostMessage | UnsubscribedMessage;

/** What topics, publications and credential refresh need from the client. */
export interface Port {
  readonly platform: Platform;
  readonly requestTimeoutMs: number;
  /** How long the server may take to answer, at least `requestTimeoutMs`. */
  readonly answerTimeoutMs: number;
  /** Whether a request sent now can be answered before the connection is left. */
  readonly ready: boolean;
  /** Limit of the open connection. */
  readonly maxMessageBytes: number;
  send(message: ClientMessage): void;
  sendText(text: string): void;
  /** Queues a subscribe with others made at the same time. Returns the id of its answer. */
  subscribe(request: TopicRequest, again: boolean): number;
  unsubscribe(topic: string, again: boolean): number;
  nextId(): number;
  /**
   * Uses one random factor per connection, so that requests that failed together retry together.
   */
  backoffMs(attempt: number): number;
  /** A request timed out. Pings the link; `onAlive` runs if it is alive. */
  suspect(onAlive?: () => void): void;
  /** One pending answer fewer. */
  settled(): void;
  /** Reports a non-fatal error to the application. */
  report(error: unknown): void;
  /** Reports that a subscription will be retried. */
  waiting(topic: string, error: LiveError, delayMs: number): void;
}
