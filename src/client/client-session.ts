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
import type { Pages } from './pages.js';
import type { Refresher } from './refresher.js';
import type { Requests } from './requests.js';
import type { LiveStatus, LiveWaiting } from './status.js';
import { isOfTopic, Topics } from './topics.js';
import type { Wire, WireEvents } from './wire.js';

export interface SessionParts {
  readonly platform: Platform;
  readonly credentials: Credentials;
  readonly backoff: Backoff;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Absent for a client that only reads. */
  readonly more: ((port: Port, credentials: Credentials) => More) | undefined;
  open(token: string | undefined, events: WireEvents): Wire;
  status(status: LiveStatus): void;
  report(error: unknown): void;
  waiting(waiting: LiveWaiting): void;
}

/** What a client that only reads does without. */
export interface More {
  readonly requests?: Requests;
  readonly refresher?: Refresher;
  readonly pages?: Pages;
}

/** Allowance for network transit on top of the server's own time limit. */
const transitMs = 2_000;

/** Connects the link to topics, publications and credentials, and routes messages between them. */
export class ClientSession implements Port, LinkOwner {
  readonly topics: Topics;
  readonly more: More;
  readonly platform: Platform;
  readonly requestTimeoutMs: number;
  answerTimeoutMs: number;
  maxMessageBytes = Infinity;
  readonly #link: ClientLink;
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
    this.more = parts.more?.(this, parts.credentials) ?? {};
    this.topics = new Topics(this, this.more.pages);
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
    return this.more.requests?.owed === true || this.topics.owed;
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
    this.more.requests?.end(closed);
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
    if (!isBack) this.more.refresher?.plan(welcome);
    this.topics.up(isBack);
    this.more.requests?.up(welcome, isBack);
  }

  down(isReplaced: boolean): void {
    this.more.refresher?.down();
    this.#bundle.down();
    if (isReplaced) this.topics.replaced();
    else this.topics.down();
    this.more.requests?.down(isReplaced);
  }

  oldDown(): void {
    this.topics.oldDown();
    this.more.requests?.oldDown();
  }

  message(message: ServerMessage): void {
    if (isOfTopic(message)) return this.topics.message(message);
    switch (message.type) {
      case 'authenticated':
        this.more.refresher?.answered(message);
        break;
      case 'error':
        this.#failed(message);
        break;
      default:
        // Also the application's own; what answers nothing is passed over.
        this.more.requests?.answered(message);
    }
  }

  late(message: ServerMessage): void {
    if (isOfTopic(message)) this.topics.late(message);
    else if (message.type === 'error') this.more.requests?.failed(message);
    else this.more.requests?.answered(message);
  }

  /** An error that answers no pending request is ignored. */
  #failed(message: ErrorMessage): void {
    if (message.id === undefined) this.report(new LiveError(message.code, message.message));
    else
      void (
        this.topics.failed(message) ||
        this.more.requests?.failed(message) === true ||
        this.more.refresher?.failed(message) === true
      );
  }
}
