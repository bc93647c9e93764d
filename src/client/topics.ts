import { LiveError } from '../protocol/live.error.js';
import type { ErrorMessage, ServerMessage, WelcomeMessage } from '../protocol/messages.js';
import { isPosition } from '../protocol/position.js';
import { Alarm } from './alarm.js';
import { ClientTopic } from './client-topic.js';
import { withObject } from './entry-list.js';
import type { LocalSubscription } from './local-subscription.js';
import type { Pages } from './pages.js';
import type { Incoming, Port } from './port.js';
import type { SessionPart } from './session-part.js';

/** @throws Error for an invalid position. */
export function isOfTopic(message: ServerMessage): message is Incoming {
  if (!/^(event|(un)?subscribed|page|lost)$/.test(message.type)) return false;
  const offset = message.type === 'event' ? message.offset : message.type === 'lost' ? message.to : 0;
  if (isPosition(message.type === 'subscribed' ? message : { epoch: 'any', offset })) return true;
  throw new Error('The server sent an invalid position');
}

/** The topics that this client subscribes to. */
export class Topics implements SessionPart {
  /** Puts snapshots together, if the client takes them in pages. */
  pages: Pages | undefined;
  readonly #byName = new Map<string, ClientTopic>();
  /** Limits the time in which topics rely on the predecessor of the current connection. */
  readonly #alarm: Alarm;
  readonly #port: Port;

  constructor(port: Port) {
    this.#port = port;
    this.#alarm = new Alarm(port.platform);
  }

  add(local: LocalSubscription): void {
    const { topic: name } = local;
    let topic = this.#byName.get(name);
    if (!topic) {
      topic = new ClientTopic(name, this.#port, () => this.#byName.delete(name));
      this.#byName.set(name, topic);
    }
    topic.add(local);
  }

  remove(local: LocalSubscription): void {
    this.#byName.get(local.topic)?.remove(local);
  }

  paced(local: LocalSubscription): void {
    this.#byName.get(local.topic)?.paced();
  }

  /** Whether a topic still relies on the predecessor of the current connection. */
  get owed(): boolean {
    for (const { moving } of this.#byName.values()) if (moving) return true;
    return false;
  }

  up(_: WelcomeMessage, isBack: boolean): void {
    if (isBack) this.#alarm.clear();
    for (const topic of this.#byName.values()) topic.up(isBack);
  }

  /**
   * The connection is over, or has a successor. Then it delivers each topic until the successor has
   * answered, within the time limit of a request. [L-10.7]
   */
  down(isReplaced: boolean): void {
    this.pages?.clear();
    for (const topic of this.#byName.values()) topic.down(isReplaced);
    if (isReplaced) this.#alarm.set(this.#port.requestTimeoutMs, () => this.#left());
  }

  /** The predecessor is closed. */
  oldDown(): void {
    this.#alarm.clear();
    this.#left();
  }

  end(_: Error, error: Error | undefined): void {
    for (const topic of this.#byName.values()) topic.end(error);
  }

  message(message: ServerMessage): boolean {
    if (message.type === 'error') return this.#failed(message);
    if (!isOfTopic(message)) return false;
    const topic = this.#byName.get(message.topic);
    if (!this.pages?.take(message, (whole) => this.message(whole))) topic?.message(withObject(message));
    else if (this.pages.has(message.topic)) topic?.heard();
    return true;
  }

  /** A message of the predecessor. Only events count; for the rest, the successor decides. */
  late(message: ServerMessage): void {
    if (isOfTopic(message)) this.#byName.get(message.topic)?.late(message);
  }

  /**
   * Returns whether the error answered subscribes or unsubscribes. Without a topic it answers all
   * with its id. [L-3.14]
   */
  #failed(error: ErrorMessage): boolean {
    const { id, code, message, retryAfterMs } = error;
    let found = false;
    for (const [name, topic] of this.#byName) {
      if (!topic.awaits(id) || (error.topic ?? name) !== name) continue;
      topic.failed(id, new LiveError(code, message), retryAfterMs);
      found = true;
    }
    return found;
  }

  #left(): void {
    for (const topic of this.#byName.values()) topic.left();
  }
}
