import { LiveError } from '../protocol/live.error.js';
import type { ErrorMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import type { ClientMessage, TopicRequest } from '../protocol/client-messages.js';
import { positiveOrZero, type Backoff, backoffMs } from './backoff.js';
import { Bundle } from './bundle.js';
import type { Credentials } from './credentials.js';
import { ClientLink } from './client-link.js';
import type { LinkOwner } from './link-owner.js';
import { LiveClientError } from './live-client.error.js';
import type { Platform } from './platform.js';
import type { Port } from './port.js';
import { Refresher } from './refresher.js';
import { Requests } from './requests.js';
import type { LiveStatus, LiveWaiting } from './status.js';
import { isOfTopic, Topics } from './topics.js';
import type { Wire, WireEvents } from './wire.js';

export interface SessionParts {
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly backoff: Backoff;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  open(token: string | undefined, events: WireEvents): Wire;
  status(status: LiveStatus): void;
  report(error: unknown): void;
  waiting(waiting: LiveWaiting): void;
}

/** Allowance for network transit on top of the server's own time limit. */
const transitMs = 2_000;

/** Connects the link to topics, publications and credentials, and routes messages between them. */
export class ClientSession implements Port, LinkOwner {
  readonly topics: Topics;
  readonly requests: Requests;
  readonly platform: Platform;
  readonly requestTimeoutMs: number;
  answerTimeoutMs: number;
  maxMessageBytes = Infinity;
  readonly #link: ClientLink;
  readonly #refresher: Refresher;
  readonly #bundle: Bundle;
  #lastId = 0;
  #chance = 0;

  constructor(private readonly parts: SessionParts) {
    this.platform = parts.platform;
    this.requestTimeoutMs = parts.requestTimeoutMs;
    this.answerTimeoutMs = parts.requestTimeoutMs;
    this.#link = new ClientLink(this, parts);
    this.#bundle = new Bundle({
      platform: parts.platform,
      nextId: () => this.nextId(),
      send: (message) => this.#link.send(JSON.stringify(message)),
    });
    this.topics = new Topics(this);
    this.requests = new Requests(this);
    this.#refresher = new Refresher(this, parts.credentials);
  }

  start(): void {
    this.#link.start();
  }

  reconnect(): void {
    this.#link.reconnect();
  }

  close(): void {
    this.#link.close();
  }

  get ready(): boolean {
    return this.#link.ready;
  }

  get owed(): boolean {
    return this.requests.owed || this.topics.owed;
  }

  send(message: ClientMessage): void {
    this.sendText(JSON.stringify(message));
  }

  /** Flushes queued requests first, so that a publication reaches subscriptions made before it. */
  sendText(text: string): void {
    this.#bundle.flush();
    this.#link.send(text);
  }

  subscribe(request: TopicRequest, again: boolean): number {
    return this.#bundle.subscribe(request, again);
  }

  unsubscribe(topic: string, again: boolean): number {
    return this.#bundle.unsubscribe(topic, again);
  }

  ping(): number {
    const id = this.nextId();
    this.#link.send(JSON.stringify({ type: 'ping', id }));
    return id;
  }

  nextId(): number {
    return ++this.#lastId;
  }

  backoffMs(attempt: number): number {
    return backoffMs(attempt, this.parts.backoff, () => this.#chance);
  }

  suspect(onAlive?: () => void): void {
    this.#link.probe(onAlive);
  }

  settled(): void {
    this.#link.settled();
  }

  report(error: unknown): void {
    this.parts.report(error);
  }

  waiting(topic: string, { code, message }: LiveError, delayMs: number): void {
    this.parts.waiting({ topic, code, reason: message, delayMs });
  }

  status(status: LiveStatus): void {
    this.parts.status(status);
    if (status.state !== 'closed') return;
    const { code, reason, error } = status;
    const own = code === 1000 && error === undefined;
    const closed = new LiveClientError('closed', `The client is closed: ${reason}`, { code, reason });
    this.requests.end(closed);
    this.topics.end(own ? undefined : error instanceof Error ? error : closed);
  }

  up(welcome: WelcomeMessage, isBack: boolean): void {
    const { limits } = welcome;
    this.maxMessageBytes = limits.maxMessageBytes;
    this.answerTimeoutMs = Math.max(
      this.requestTimeoutMs,
      positiveOrZero(limits.answerTimeoutMs) + transitMs,
    );
    this.#chance = this.platform.random();
    this.#bundle.up(limits);
    // One that is back is about to be replaced again, and its times are past.
    if (isBack) this.requests.back();
    else this.#refresher.plan(welcome);
    this.topics.up(isBack);
    this.requests.flush();
  }

  down(isReplaced: boolean): void {
    this.#refresher.down();
    this.#bundle.down();
    if (isReplaced) {
      this.topics.replaced();
      this.requests.replaced();
    } else {
      this.topics.down();
      this.requests.down('now');
    }
  }

  oldDown(): void {
    this.topics.oldDown();
    this.requests.down('before');
  }

  message(message: ServerMessage): void {
    if (isOfTopic(message)) return this.topics.message(message);
    switch (message.type) {
      case 'authenticated':
        this.#refresher.answered(message);
        break;
      case 'error':
        this.#failed(message);
        break;
      default:
        // Also the application's own; what answers nothing is passed over.
        this.requests.answered(message);
    }
  }

  late(message: ServerMessage): void {
    if (isOfTopic(message)) this.topics.late(message);
    else if (message.type === 'error') this.requests.failed(message);
    else this.requests.answered(message);
  }

  /** An error that answers no pending request is ignored. */
  #failed(message: ErrorMessage): void {
    if (message.id === undefined) this.report(new LiveError(message.code, message.message));
    else
      void (this.topics.failed(message) || this.requests.failed(message) || this.#refresher.failed(message));
  }
}
