import { LiveError } from '../protocol/live.error.js';
import type { ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import type { ClientMessage } from '../protocol/client-messages.js';
import { type Backoff, backoffMs, positiveOrZero } from './backoff.js';
import { Bundle } from './bundle.js';
import type { LinkOptions } from './client-connection.js';
import { ClientLink } from './client-link.js';
import type { Credentials } from './credentials.js';
import type { Emit } from './live-client.events.js';
import type { Platform } from './platform.js';
import type { Port } from './port.js';
import type { SessionPart } from './session-part.js';
import { Topics } from './topics.js';

export interface SessionOptions extends LinkOptions {
  readonly requestTimeoutMs: number;
}

/** Allowance for network transit on top of the server's own time limit. */
const transitMs = 2_000;

/** Connects the parts of a client with its link, and with each other. */
export class ClientSession implements Port, SessionPart {
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly requestTimeoutMs: number;
  answerTimeoutMs: number;
  readonly emit: Emit;
  readonly link: ClientLink;
  readonly bundle: Bundle;
  readonly topics: Topics;
  #lastId = 0;
  #chance = 0;
  readonly #backoff: Backoff;

  constructor(options: SessionOptions) {
    this.#backoff = options.backoff;
    this.platform = options.platform;
    this.credentials = options.credentials;
    this.requestTimeoutMs = this.answerTimeoutMs = options.requestTimeoutMs;
    this.emit = options.emit;
    this.bundle = new Bundle(this);
    this.topics = new Topics(this);
    this.link = new ClientLink(options, () => {
      const id = this.nextId();
      this.send({ type: 'ping', id });
      return id;
    });
    this.link.parts.push(this, this.bundle, this.topics);
  }

  send(message: ClientMessage): void {
    this.sendText(JSON.stringify(message));
  }

  /** Flushes queued requests first, so that a publication reaches subscriptions made before it. */
  sendText(text: string): void {
    this.bundle.flush();
    this.link.send(text);
  }

  nextId(): number {
    return ++this.#lastId;
  }

  backoffMs(attempt: number): number {
    return backoffMs(attempt, this.#backoff, this.#chance);
  }

  up({ limits }: WelcomeMessage): void {
    this.answerTimeoutMs = Math.max(
      this.requestTimeoutMs,
      positiveOrZero(limits.answerTimeoutMs) + transitMs,
    );
    this.#chance = this.platform.random();
  }

  /** Reports an error that answers no request. */
  message(message: ServerMessage): boolean {
    const isOurs = message.type === 'error' && message.id === undefined;
    if (isOurs) this.emit('error', new LiveError(message.code, message.message));
    return isOurs;
  }
}
