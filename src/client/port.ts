import type { LiveError } from '../protocol/live.error.js';
import type { ClientMessage, TopicRequest } from '../protocol/messages.js';
import type { Platform } from './platform.js';

/** What topics, publications and the refreshing of credentials need of the rest of the client. */
export interface Port {
  readonly platform: Platform;
  readonly requestTimeoutMs: number;
  /** How long the server may take to answer; at least `requestTimeoutMs`. */
  readonly answerTimeoutMs: number;
  /** Whether what is sent now can be answered before the connection is left. */
  readonly ready: boolean;
  /** Of the open connection. */
  readonly maxMessageBytes: number;
  send(message: ClientMessage): void;
  sendText(text: string): void;
  /** Asks for a topic, together with others that are asked for now; returns the id that the answer will have. */
  subscribe(request: TopicRequest, again: boolean): number;
  unsubscribe(topic: string, again: boolean): number;
  nextId(): number;
  /** The same random part for all topics of a connection, so that what failed together is asked for together. */
  backoffMs(attempt: number): number;
  /** A request was not answered in time; `onAlive` runs when the link turns out to be alive. */
  suspect(onAlive?: () => void): void;
  /** One answer fewer is awaited. */
  settled(): void;
  /** Tells the application of an error that ends nothing. */
  report(error: unknown): void;
  /** Tells the application that a subscription is tried again later. */
  waiting(topic: string, error: LiveError, delayMs: number): void;
}
