import { LiveError } from '../protocol/live.error.js';
import type { ErrorMessage, ServerMessage } from '../protocol/messages.js';
import { isPosition } from '../protocol/position.js';
import { Alarm } from './alarm.js';
import { ClientTopic } from './client-topic.js';
import type { LocalSubscription } from './local-subscription.js';
import { PendingUnsubscribes } from './pending-unsubscribes.js';
import type { Incoming, Port } from './port.js';

/** @throws Error for an invalid position. */
export function isOfTopic(message: ServerMessage): message is Incoming {
  if (!/^(event|(un)?subscribed|page|lost)$/.test(message.type)) return false;
  const offset = message.type === 'event' ? message.offset : message.type === 'lost' ? message.to : 0;
  if (isPosition(message.type === 'subscribed' ? message : { epoch: 'any', offset })) return true;
  throw new Error('The server sent an invalid position');
}

/** The topics that this client subscribes to. */
export class Topics {
  readonly #byName = new Map<string, ClientTopic>();
  readonly #pendingUnsubscribes: PendingUnsubscribes;
  /** Limits the time in which topics rely on the predecessor of the current connection. */
  readonly #alarm: Alarm;
  readonly #port: Port;

  constructor(port: Port) {
    this.#port = port;
    this.#alarm = new Alarm(port.platform);
    this.#pendingUnsubscribes = new PendingUnsubscribes(port, (topic) => this.#byName.has(topic));
  }

  add(local: LocalSubscription): void {
    const { topic: name } = local;
    let topic = this.#byName.get(name);
    if (!topic) {
      topic = new ClientTopic(name, this.#port, (wasAsked) => {
        if (wasAsked) this.#pendingUnsubscribes.send(name);
        this.#byName.delete(name);
      });
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

  up(isBack: boolean): void {
    if (isBack) this.#alarm.clear();
    for (const topic of this.#byName.values()) topic.up(isBack);
  }

  /**
   * The connection is over, or has a successor. Then it delivers each topic until the successor has
   * answered, within the time limit of a request. [L-10.7]
   */
  down(isReplaced: boolean): void {
    this.#pendingUnsubscribes.down();
    for (const topic of this.#byName.values()) topic.down(isReplaced);
    if (isReplaced) this.#alarm.set(this.#port.requestTimeoutMs, () => this.#left());
  }

  /** The predecessor is closed. */
  oldDown(): void {
    this.#alarm.clear();
    this.#left();
  }

  end(error: Error | undefined): void {
    for (const topic of this.#byName.values()) topic.end(error);
  }

  /** A part of a start has arrived. */
  heard(topic: string): void {
    this.#byName.get(topic)?.heard();
  }

  message(message: Incoming): void {
    // A message with an id is an answer to our unsubscribe. [L-3.9]
    if (message.type === 'unsubscribed' && message.id !== undefined)
      this.#pendingUnsubscribes.answered(message.id, message.topic);
    else this.#byName.get(message.topic)?.message(message);
  }

  /** A message of the predecessor. Only events count; for the rest, the successor decides. */
  late(message: Incoming): void {
    this.#byName.get(message.topic)?.late(message);
  }

  /**
   * Returns whether the error answered subscribes or unsubscribes. Without a topic it answers all
   * with its id. [L-3.14]
   */
  failed(error: ErrorMessage): boolean {
    const { id, code, message, retryAfterMs } = error;
    let found = this.#pendingUnsubscribes.failed(error);
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
