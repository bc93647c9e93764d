import { LiveError } from '../protocol/live.error.js';
import type { PublishRequest } from '../protocol/client-messages.js';
import type { ErrorMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import { LiveClientError } from './live-client.error.js';
import { keysOf, Pending, sizeOf, textOf } from './pending.js';
import type {
  KeptPublish,
  PublishQueueOptions,
  PublishStore,
  QueuedPublishOptions,
} from './publish-queue.options.js';
import type { Port } from './port.js';
import type { SessionPart } from './session-part.js';

/** Publications that are sent before the first of them is answered. The server remembers more. */
const maxUnanswered = 32;
const ended = 'The connection ended before the answer came';

/** Sends each request once, and each publication until it is answered. [L-4.18] */
export class Requests implements SessionPart {
  readonly #pending = new Set<Pending>();
  #bytes = 0;
  /** The user of the last connection, '' for none. Unknown before the first. */
  #user: string | undefined;
  /** How long the server remembers keys; 0 if it knows none. */
  #keysMs = 0;
  #maxMessageBytes = Infinity;
  #publishedMs = 0;
  /** Set while the store reads. Later publications wait for the ones in it. */
  #loading: Promise<void> | undefined;
  /** When the server accepts publications again. */
  #pausedUntil = 0;
  /** Delay until something is sent or given up. */
  readonly #alarm: Alarm;
  /** Time since the last answer while another one is due. */
  readonly #silence: Alarm;
  readonly #nextKey: () => string;
  readonly #port: Port;
  readonly #queue: PublishQueueOptions;

  constructor(port: Port, queue: PublishQueueOptions = {}) {
    this.#port = port;
    this.#queue = queue;
    this.#alarm = new Alarm(port.platform);
    this.#silence = new Alarm(port.platform);
    this.#nextKey = keysOf(port.platform);
    this.#user = queue.store?.user;
    if (queue.store) this.#loading = this.#load(queue.store);
  }

  /** Whether the predecessor of the current connection still owes an answer. */
  get owed(): boolean {
    return [...this.#pending].some(({ sent }) => sent === 'before');
  }

  /** Resolves with the message that answers. */
  send(message: object, timeoutMs = this.#port.requestTimeoutMs): Promise<ServerMessage> {
    return this.#add(textOf(message), undefined, timeoutMs);
  }

  /** Resolves with the message that answers. */
  async publish(
    message: Omit<PublishRequest, 'id'>,
    { idempotencyKey: key = this.#nextKey(), ttlMs = this.#queue.ttlMs }: QueuedPublishOptions,
  ): Promise<ServerMessage> {
    const text = textOf({ ...message, idempotencyKey: key });
    // Higher each time, so that a store can keep the order.
    const atMs = (this.#publishedMs = Math.max(this.#port.platform.wallMs(), this.#publishedMs + 0.001));
    if (this.#loading) await this.#loading;
    return this.#add(text, { key, topic: message.topic, text, atMs, ttlMs });
  }

  /** Returns whether the message, perhaps an error, answered a request. */
  message(message: ServerMessage & { readonly id?: unknown }): boolean {
    for (const pending of this.#pending)
      if (pending.sent && pending.id === message.id) {
        if (message.type === 'error') this.#refused(pending, message);
        else this.#take(pending).settle.resolve(message);
        this.#silence.clear();
        this.#flush();
        return true;
      }
    return false;
  }

  late(message: ServerMessage): void {
    this.message(message);
  }

  up({ user, limits }: WelcomeMessage, isBack: boolean): void {
    this.#user = user?.id ?? '';
    this.#keysMs = positiveOrZero(limits.idempotencyMs);
    this.#maxMessageBytes = limits.maxMessageBytes;
    for (const pending of this.#pending) {
      if (isBack && pending.sent) pending.sent = 'now';
      pending.user ??= this.#user;
      if (!pending.kept) continue;
      if (pending.user !== this.#user) this.#giveUp(pending, 'Another user is connected now');
      else if (pending.maybe && this.#keysMs === 0) this.#giveUp(pending, 'This server knows no keys');
    }
    this.#flush();
  }

  /** The connection is gone, or has a successor and stays until it has answered requests. */
  down(isReplaced: boolean): void {
    this.#silence.clear();
    this.#pausedUntil = 0;
    for (const pending of this.#pending) {
      if (pending.sent !== 'now') continue;
      if (pending.kept && this.#keysMs > 0) {
        pending.sent = undefined;
        pending.maybe = true;
      } else if (isReplaced) pending.sent = 'before';
      else this.#giveUp(pending);
    }
    this.#flush();
  }

  oldDown(): void {
    for (const pending of this.#pending) if (pending.sent === 'before') this.#giveUp(pending);
  }

  end(error: Error): void {
    for (const pending of this.#pending) this.#giveUp(pending, error.message, error);
    this.#alarm.clear();
  }

  async #load(store: PublishStore): Promise<void> {
    const report = (error: unknown): void => this.#port.emit('error', error);
    try {
      for (const kept of await store.load()) this.#add(kept.text, kept).catch(report);
    } catch (error) {
      report(error);
    }
    this.#loading = undefined;
  }

  #add(text: string, kept?: KeptPublish, limitMs?: number): Promise<ServerMessage> {
    const { maxMessages = 1_000, maxBytes = 1_048_576 } = this.#queue;
    return new Promise((resolve, reject) => {
      const pending = new Pending(text, { resolve, reject }, this.#user, kept);
      if (this.#pending.size >= maxMessages || this.#bytes + pending.bytes > maxBytes)
        throw new LiveError('limit-exceeded', `${String(this.#pending.size)} messages wait already`);
      this.#pending.add(pending);
      this.#bytes += pending.bytes;
      pending.limit(this.#port.platform, limitMs);
      this.#keep(pending);
      this.#flush();
    });
  }

  /** Sends what waits, in order. Publications to one topic do not overtake each other. */
  #flush(): void {
    const { platform, link, requestTimeoutMs } = this.#port;
    const now = platform.now();
    const held = new Set<string>();
    const unanswered = new Map<string, number>();
    let room = maxUnanswered;
    let nextMs = Infinity;
    for (const pending of this.#pending) {
      const { kept, sent } = pending;
      if (pending.leftMs(platform) <= 0) {
        if (sent) link.probe();
        this.#giveUp(pending, 'No answer came in time');
      } else if (!kept) {
        if (!sent && link.ready) this.#send(pending);
      } else {
        const { topic } = kept;
        const waitMs = sent ? 0 : Math.max(pending.notBefore, this.#pausedUntil) - now;
        if (waitMs > 0) nextMs = Math.min(nextMs, waitMs);
        if (!sent && (!link.ready || waitMs > 0 || room <= 0 || held.has(topic))) held.add(topic);
        else if (sent || this.#send(pending, unanswered.get(topic))) {
          room -= 1;
          unanswered.set(topic, pending.id);
        }
      }
    }
    for (const pending of this.#pending) nextMs = Math.min(nextMs, pending.leftMs(platform));
    this.#alarm.clear();
    if (nextMs < Infinity) this.#alarm.set(nextMs, () => this.#flush());
    if (room < maxUnanswered && !this.#silence.armed)
      this.#silence.set(requestTimeoutMs, () => {
        link.probe();
        this.#flush();
      });
  }

  /** Sends it, after another one, or rejects it. Returns whether it was sent. */
  #send(pending: Pending, after?: number): boolean {
    const port = this.#port;
    const { kept } = pending;
    const id = (pending.id = port.nextId());
    const text = `${pending.text},"id":${String(id)}${after ? `,"after":${String(after)}` : ''}}`;
    if (sizeOf(text) > this.#maxMessageBytes) {
      // The server would close the connection for good.
      const limit = `A message has at most ${String(this.#maxMessageBytes)} bytes`;
      this.#reject(pending, new LiveError('limit-exceeded', limit));
      return false;
    }
    pending.sent = 'now';
    if (kept && kept.sentAtMs === undefined) {
      // From now on the server may remember its key, for a time.
      pending.kept = { ...kept, sentAtMs: port.platform.wallMs() };
      this.#keep(pending);
      pending.limit(port.platform, this.#keysMs > 0 ? undefined : port.requestTimeoutMs);
    }
    port.sendText(text);
    return true;
  }

  #keep({ kept }: Pending): void {
    const { store } = this.#queue;
    if (kept && store?.user === this.#user) store?.put(kept);
  }

  #refused(pending: Pending, { code, message, retryAfterMs }: ErrorMessage): void {
    const isLimited = code === 'rate-limited';
    // What may be published already must not end with an error that says that it is not.
    const again = isLimited || code === 'unavailable' || (pending.maybe && code === 'internal');
    if (again && pending.kept && this.#keysMs > 0) {
      const waitMs = positiveOrZero(retryAfterMs) + this.#port.backoffMs(pending.attempt++);
      pending.notBefore = this.#port.platform.now() + waitMs;
      pending.sent = undefined;
      if (isLimited) this.#pausedUntil = Math.max(this.#pausedUntil, pending.notBefore);
      else pending.maybe = true;
    } else
      this.#reject(pending, new LiveError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs }));
  }

  #giveUp(pending: Pending, why = ended, error: Error = new LiveClientError('not-sent', why)): void {
    if (pending.sent) pending.maybe = true;
    this.#reject(pending, error);
  }

  #reject(pending: Pending, error: Error): void {
    const why = `It was sent and may have had its effect: ${error.message}`;
    this.#take(pending).settle.reject(pending.maybe ? new LiveClientError('unknown-outcome', why) : error);
  }

  #take(pending: Pending): Pending {
    this.#pending.delete(pending);
    this.#bytes -= pending.bytes;
    if (pending.kept) this.#queue.store?.delete(pending.kept.key);
    this.#port.link.settled();
    return pending;
  }
}
