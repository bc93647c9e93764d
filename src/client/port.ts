import type { ClientMessage } from '../protocol/client-messages.js';
import type {
  EventMessage,
  LostMessage,
  PageMessage,
  SubscribedMessage,
  UnsubscribedMessage,
} from '../protocol/messages.js';
import type { Bundle } from './bundle.js';
import type { ClientLink } from './client-link.js';
import type { Emit } from './live-client.events.js';
import type { Platform } from './platform.js';

/** A message about a topic. */
export type Incoming = SubscribedMessage | PageMessage | EventMessage | LostMessage | UnsubscribedMessage;

/** What topics, publications and credential refresh need from the client. */
export interface Port {
  readonly platform: Platform;
  readonly requestTimeoutMs: number;
  /** How long the server may take to answer, at least `requestTimeoutMs`. */
  readonly answerTimeoutMs: number;
  readonly link: Pick<ClientLink, 'ready' | 'probe' | 'settled'>;
  /** Queues subscribes and unsubscribes with others made at the same time. */
  readonly bundle: Pick<Bundle, 'subscribe' | 'unsubscribe'>;
  readonly emit: Emit;
  send(message: ClientMessage): void;
  sendText(text: string): void;
  nextId(): number;
  /**
   * Uses one random factor per connection, so that requests that failed together retry together.
   */
  backoffMs(attempt: number): number;
}
