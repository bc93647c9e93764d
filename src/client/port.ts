import type { ClientMessage } from '../protocol/messages.js';
import type { Platform } from './platform.js';

/** What topics, publications and the refreshing of credentials need of the rest of the client. */
export interface Port {
  readonly platform: Platform;
  readonly requestTimeoutMs: number;
  /** Whether what is sent now can be answered before the connection is left. */
  readonly ready: boolean;
  /** Of the open connection. */
  readonly maxMessageBytes: number;
  send(message: ClientMessage): void;
  sendText(text: string): void;
  nextId(): number;
  backoffMs(attempt: number): number;
  /** A request was not answered in time. */
  suspect(): void;
  /** One answer fewer is awaited. */
  settled(): void;
  /** Tells the application of an error that ends nothing. */
  report(error: unknown): void;
}
