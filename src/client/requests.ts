import { LiveError } from '../protocol/live.error.js';
import type { PublishRequest } from '../protocol/client-messages.js';
import type { ErrorMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import { LiveClientError } from './live-client.error.js';
import { endOf, Pending, sizeOf, textOf } from './pending.js';
import type { KeptPublish, PublishQueueOptions, QueuedPublishOptions } from './publish-queue.options.js';
import { PublishKeys } from './publish-keys.js';
import type { Port } from './port.js';

/** Publications that are sent before the first of them is answered. The server remembers more. */
const maxUnanswered = 32;

const ended = 'The connection ended before the answer came';

/** Sends each request once, and each publication until it is answered. [L-4.18] */
export class Requests {
  readonly #pending = new Set<Pending>();
  #bytes = 0;
  /** The user of the last connection. Unknown before the first. */
  #user: string | null | undefined;
  /** How long the server remembers keys; 0 if it knows none. */
  #keysMs = 0;
  #maxMessageBytes = Infinity;
  /** Set while the store reads. Later publications wait for the ones in it. */
  #loading: Promise<void> | undefined;
  /** When the server accepts publications again. */
  #pausedUntil = 0;
  readonly #keys: PublishKeys;
  readonly #retry: Alarm;
  /** Time since the last answer while another one is due. */
  readonly #silence: Alarm;
  readonly #port: Port;
  readonly #queue: PublishQueueOptions;

  constructor(port: Port, queue: PublishQueueOptions) {
    this.#port = port;
    this.#queue = queue;
    this.#keys = new PublishKeys(port.platform);
    this.#retry = new Alarm(port.platform);
    this.#silence = new Alarm(port.platform);
    const { store } = queue;
    if (store === undefined) return;
    this.#user = store.user;
    const report = (error: unknown): void => port.emit('error', error);
    this.#loading = store
      .load()
      .then((all) => {
        for (const kept of all) this.#add(kept.text, kept).catch(report);
      }, report)
      .then(() => (this.#loading = undefined));
  }

  /** Whether the predecessor of the current connection still owes an answer. */
  get owed(): boolean {
    return [...this.#pending].some(({ sent }) => sent === 'before');
  }

  /** Resolves with the message that answers. */
  async send(message: object, timeoutMs = this.#port.requestTimeoutMs): Promise<ServerMessage> {
    return this.#add(textOf(message), undefined, timeoutMs);
  }

  /** Resolves with the message that answers. */
  async publish(
    message: Omit<PublishRequest, 'id'>,
    { idempotencyKey: key = this.#keys.next(), ttlMs = this.#queue.ttlMs }: QueuedPublishOptions,
  ): Promise<ServerMessage> {
    const text = textOf({ ...message, idempotencyKey: key });
    const kept = { key, topic: message.topic, text, atMs: this.#keys.nowMs(), ttlMs };
    if (this.#loading !== undefined) await this.#loading;
    return this.#add(text, kept);
  }

  /** Sends what waits, in order. Publications to one topic do not overtake each other. */
  flush(): void {
    const port = this.#port;
    const now = port.platform.now();
    const held = new Set<string>();
    const unanswered = new Map<string, number>();
    let room = maxUnanswered;
    let nextMs = Infinity;
    for (const pending of this.#pending) {
      const { kept, sent } = pending;
      if (!port.link.ready) return;
      if (kept === undefined) {
        if (sent === undefined) this.#send(pending);
        continue;
      }
      const { topic } = kept;
      if (sent === undefined) {
        const waitMs = Math.max(pending.notBefore, this.#pausedUntil) - now;
        if (waitMs > 0) nextMs = Math.min(nextMs, waitMs);
        if (waitMs > 0 || room <= 0 || held.has(topic)) {
          held.add(topic);
          continue;
        }
        const after = unanswered.get(topic);
        if (!this.#send(pending, after === undefined ? '' : `,"after":${String(after)}`)) continue;
      }
      room -= 1;
      unanswered.set(topic, pending.id);
    }
    if (nextMs < Infinity) this.#retry.set(nextMs, () => this.flush());
    if (room < maxUnanswered && !this.#silence.armed)
      this.#silence.set(port.requestTimeoutMs, () => {
        port.link.probe();
        this.flush();
      });
  }

  answered(message: ServerMessage & { readonly id?: unknown }): void {
    const pending = this.#find(message.id);
    if (pending === undefined) return;
    this.#take(pending).resolve(message);
    this.#silence.clear();
    this.flush();
  }

  /** Returns whether the error answered a request. */
  failed({ id, code, message, retryAfterMs }: ErrorMessage): boolean {
    const pending = this.#find(id);
    if (pending === undefined) return false;
    const isLimited = code === 'rate-limited';
    // What may be published already must not end with an error that says that it is not.
    const again = isLimited || code === 'unavailable' || (pending.maybe && code === 'internal');
    if (again && pending.kept !== undefined && this.#keysMs > 0) {
      const waitMs = positiveOrZero(retryAfterMs) + this.#port.backoffMs(pending.attempt++);
      pending.notBefore = this.#port.platform.now() + waitMs;
      pending.sent = undefined;
      if (isLimited) this.#pausedUntil = Math.max(this.#pausedUntil, pending.notBefore);
      else pending.maybe = true;
    } else
      this.#take(pending).reject(
        new LiveError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs }),
      );
    this.#silence.clear();
    this.flush();
    return true;
  }

  /** A connection is ready: a new one, or one that `isBack`. */
  up({ user, limits }: WelcomeMessage, isBack: boolean): void {
    this.#user = user?.id ?? null;
    this.#keysMs = positiveOrZero(limits.idempotencyMs);
    this.#maxMessageBytes = limits.maxMessageBytes;
    for (const pending of this.#pending) {
      if (isBack && pending.sent !== undefined) pending.sent = 'now';
      if (pending.user === undefined) pending.user = this.#user;
      if (pending.kept === undefined) continue;
      if (pending.user !== this.#user) this.#giveUp(pending, 'Another user is connected now');
      else if (pending.maybe && this.#keysMs === 0) this.#giveUp(pending, 'This server knows no keys');
    }
    this.flush();
  }

  /** The connection is gone, or has a successor and stays until it has answered requests. */
  down(isReplaced: boolean): void {
    this.#retry.clear();
    this.#silence.clear();
    this.#pausedUntil = 0;
    for (const pending of this.#pending) {
      if (pending.sent !== 'now') continue;
      if (pending.kept !== undefined && this.#keysMs > 0) {
        pending.sent = undefined;
        pending.maybe = true;
      } else if (isReplaced) pending.sent = 'before';
      else this.#giveUp(pending, ended);
    }
  }

  /** The predecessor is gone. */
  oldDown(): void {
    for (const pending of this.#pending) if (pending.sent === 'before') this.#giveUp(pending, ended);
  }

  end(error: Error): void {
    for (const pending of this.#pending) this.#giveUp(pending, error.message, error);
  }

  #add(text: string, kept?: KeptPublish, limitMs?: number): Promise<ServerMessage> {
    const port = this.#port;
    const { maxMessages = 1_000, maxBytes = 1_048_576 } = this.#queue;
    return new Promise((resolve, reject) => {
      const pending = new Pending(port.platform, text, { resolve, reject }, this.#user, kept);
      if (this.#pending.size >= maxMessages || this.#bytes + pending.bytes > maxBytes)
        throw new LiveError('limit-exceeded', `${String(this.#pending.size)} messages wait already`);
      this.#pending.add(pending);
      this.#bytes += pending.bytes;
      this.#limit(pending, limitMs);
      this.#keep(pending);
      this.flush();
    });
  }

  #limit(pending: Pending, limitMs?: number): void {
    const { kept } = pending;
    pending.limit(limitMs ?? (kept ? endOf(kept) : 0) - this.#port.platform.wallMs(), () => {
      if (pending.sent !== undefined) this.#port.link.probe();
      this.#giveUp(pending, 'No answer came in time');
    });
  }

  #keep({ kept }: Pending): void {
    const { store } = this.#queue;
    if (kept !== undefined && store?.user === this.#user) store?.put(kept);
  }

  /** Returns whether it was sent. Otherwise it is settled. */
  #send(pending: Pending, after = ''): boolean {
    const port = this.#port;
    const { kept } = pending;
    const id = port.nextId();
    const text = `${pending.text},"id":${String(id)}${after}}`;
    if (pending.leftMs <= 0) this.#giveUp(pending, 'Its time is over');
    else if (sizeOf(text) > this.#maxMessageBytes) {
      // The server would close the connection for good.
      const limit = `A message has at most ${String(this.#maxMessageBytes)} bytes`;
      this.#take(pending).reject(new LiveError('limit-exceeded', limit));
    } else {
      pending.sent = 'now';
      pending.id = id;
      if (kept !== undefined && kept.sentAtMs === undefined) {
        // From now on the server may remember its key, for a time.
        pending.kept = { ...kept, sentAtMs: port.platform.wallMs() };
        this.#keep(pending);
        this.#limit(pending, this.#keysMs > 0 ? undefined : port.requestTimeoutMs);
      }
      port.sendText(text);
      return true;
    }
    return false;
  }

  #find(id: unknown): Pending | undefined {
    for (const pending of this.#pending) if (pending.sent && pending.id === id) return pending;
    return undefined;
  }

  #giveUp(pending: Pending, why: string, error: Error = new LiveClientError('not-sent', why)): void {
    if (pending.sent !== undefined) pending.maybe = true;
    this.#take(pending).reject(error);
  }

  #take(pending: Pending): Pending {
    this.#pending.delete(pending);
    this.#bytes -= pending.bytes;
    if (pending.kept !== undefined) this.#queue.store?.delete(pending.kept.key);
    this.#port.link.settled();
    return pending;
  }
}
