import type { ErrorMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { ClientSession, type SessionParts } from './client-session.js';
import { Pages, withObject } from './pages.js';
import type { PublishQueueOptions } from './publish-queue.options.js';
import { Refresher } from './refresher.js';
import { Requests } from './requests.js';
import { isOfTopic } from './topics.js';

/** A session that also publishes, renews its credential and takes snapshots in pages. */
export class PublishingSession extends ClientSession {
  readonly requests: Requests;
  readonly #refresher: Refresher;
  readonly #pages = new Pages();

  constructor(parts: SessionParts, queue: PublishQueueOptions = {}) {
    super(parts);
    this.requests = new Requests(this, queue);
    this.#refresher = new Refresher(this, parts.credentials);
  }

  override get owed(): boolean {
    return super.owed || this.requests.owed;
  }

  override up(welcome: WelcomeMessage, isBack: boolean): void {
    super.up(welcome, isBack);
    // One that is back is about to be replaced again, and its times are past.
    if (!isBack) this.#refresher.plan(welcome);
    this.requests.up(welcome, isBack);
  }

  override down(isReplaced: boolean): void {
    this.#pages.clear();
    this.#refresher.down();
    super.down(isReplaced);
    this.requests.down(isReplaced);
  }

  override oldDown(): void {
    super.oldDown();
    this.requests.oldDown();
  }

  override message(message: ServerMessage): void {
    const whole = (one: ServerMessage): void => super.message(withObject(one));
    if (isOfTopic(message)) {
      if (this.#pages.take(message, whole)) this.topics.heard(message.topic);
      else whole(message);
    } else if (message.type === 'authenticated') this.#refresher.answered(message);
    else if (message.type === 'error') this.failed(message);
    // Also the application's own; what answers nothing is passed over.
    else this.requests.answered(message);
  }

  override late(message: ServerMessage): void {
    super.late(message);
    this.requests.answered(message);
  }

  protected override end(closed: Error, error: Error | undefined): void {
    this.requests.end(closed);
    super.end(closed, error);
  }

  protected override failed(message: ErrorMessage): boolean {
    return super.failed(message) || this.requests.answered(message) || this.#refresher.failed(message);
  }
}
