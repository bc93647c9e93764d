import { LiveError } from '../protocol/live.error.js';
import type { ErrorMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import type { ClientMessage } from '../protocol/client-messages.js';
import { type Backoff, backoffMs, positiveOrZero } from './backoff.js';
import { Bundle } from './bundle.js';
import { ClientLink } from './client-link.js';
import type { LinkOwner, LinkParts } from './link-owner.js';
import { LiveClientError } from './live-client.error.js';
import type { Emit } from './live-client.events.js';
import type { Platform } from './platform.js';
import type { Port } from './port.js';
import type { LiveStatus } from './status.js';
import { isOfTopic, Topics } from './topics.js';

export interface SessionParts extends LinkParts {
  readonly requestTimeoutMs: number;
  readonly emit: Emit;
}

/** Allowance for network transit on top of the server's own time limit. */
const transitMs = 2_000;

/** Connects the link to topics, and routes messages between them. */
export class ClientSession implements Port, LinkOwner {
  status: LiveStatus = { state: 'connecting', attempt: 0 };
  readonly platform: Platform;
  readonly requestTimeoutMs: number;
  answerTimeoutMs: number;
  readonly emit: Emit;
  readonly link: ClientLink;
  readonly bundle: Bundle;
  readonly topics: Topics;
  #lastId = 0;
  #chance = 0;
  readonly #backoff: Backoff;

  constructor(parts: SessionParts) {
    this.#backoff = parts.backoff;
    this.platform = parts.platform;
    this.requestTimeoutMs = this.answerTimeoutMs = parts.requestTimeoutMs;
    this.emit = parts.emit;
    this.link = new ClientLink(this, parts);
    this.bundle = new Bundle(this);
    this.topics = new Topics(this);
  }

  get owed(): boolean {
    return this.topics.owed;
  }

  send(message: ClientMessage): void {
    this.sendText(JSON.stringify(message));
  }

  /** Flushes queued requests first, so that a publication reaches subscriptions made before it. */
  sendText(text: string): void {
    this.bundle.flush();
    this.link.send(text);
  }

  ping(): number {
    const id = this.nextId();
    this.send({ type: 'ping', id });
    return id;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  backoffMs(attempt: number): number {
    return backoffMs(attempt, this.#backoff, () => this.#chance);
  }

  setStatus(status: LiveStatus): void {
    this.status = status;
    this.emit('status', status);
    if (status.state !== 'closed') return;
    const { code, reason, error } = status;
    const own = code === 1000 && error === undefined;
    const closed = new LiveClientError('closed', `The client is closed: ${reason}`, { code, reason });
    this.end(closed, own ? undefined : error instanceof Error ? error : closed);
  }

  up({ limits }: WelcomeMessage, isBack: boolean): void {
    this.answerTimeoutMs = Math.max(
      this.requestTimeoutMs,
      positiveOrZero(limits.answerTimeoutMs) + transitMs,
    );
    this.#chance = this.platform.random();
    this.bundle.up(limits);
    this.topics.up(isBack);
  }

  down(isReplaced: boolean): void {
    this.bundle.down();
    this.topics.down(isReplaced);
  }

  oldDown(): void {
    this.topics.oldDown();
  }

  message(message: ServerMessage): void {
    if (isOfTopic(message)) this.topics.message(message);
    else if (message.type === 'error') this.failed(message);
  }

  late(message: ServerMessage): void {
    if (isOfTopic(message)) this.topics.late(message);
  }

  /** The client is closed for good, with an error for subscriptions unless it closed itself. */
  protected end(_closed: Error, error: Error | undefined): void {
    this.topics.end(error);
  }

  /** Returns whether the error answered a request. Otherwise it is ignored. */
  protected failed(message: ErrorMessage): boolean {
    if (message.id !== undefined) return this.topics.failed(message);
    this.emit('error', new LiveError(message.code, message.message));
    return true;
  }
}
