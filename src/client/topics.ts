import { LiveError } from '../protocol/live.error.js';
import type {
  ErrorMessage,
  ServerMessage,
  SubscribedMessage,
  UnsubscribedMessage,
} from '../protocol/messages.js';
import { isPosition } from '../protocol/position.js';
import { Alarm } from './alarm.js';
import type { Pages } from './pages.js';
import { PendingUnsubscribes } from './pending-unsubscribes.js';
import type { LocalSubscription } from './local-subscription.js';
import type { Incoming, Port } from './port.js';
import { ClientTopic } from './client-topic.js';

export function isOfTopic(message: ServerMessage): message is Incoming {
  const { type } = message;
  return (
    type === 'event' || type === 'subscribed' || type === 'page' || type === 'unsubscribed' || type === 'lost'
  );
}

/** The topics that this client subscribes to. */
export class Topics {
  readonly #byName = new Map<string, ClientTopic>();
  readonly #pendingUnsubscribes: PendingUnsubscribes;
  /**
   * Those that still rely on the predecessor of the current connection, with messages of the
   * successor that wait for it. [L-10.7]
   */
  readonly #moving = new Map<ClientTopic | undefined, Incoming[]>();
  /** Limits the time in which they do. */
  readonly #alarm: Alarm;

  constructor(
    private readonly port: Port,
    private readonly pages: Pages | undefined,
  ) {
    this.#alarm = new Alarm(port.platform);
    this.#pendingUnsubscribes = new PendingUnsubscribes(port, (topic) => this.#byName.has(topic));
  }

  add(local: LocalSubscription): void {
    let topic = this.#byName.get(local.topic);
    if (topic === undefined) {
      const { topic: name } = local;
      topic = new ClientTopic(
        name,
        this.port,
        this.#moving,
        () => this.#pendingUnsubscribes.send(name),
        () => this.#byName.delete(name),
        (message) => this.message(message),
      );
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
    return this.#moving.size > 0;
  }

  up(isBack: boolean): void {
    if (isBack) {
      this.#alarm.clear();
      this.#moving.clear();
    }
    for (const topic of this.#byName.values()) topic.next();
  }

  down(): void {
    this.pages?.clear();
    this.#pendingUnsubscribes.down();
    for (const topic of this.#byName.values()) topic.down();
  }

  /**
   * The connection has a successor. It delivers each topic until the successor has answered, within
   * the time limit of a request. [L-10.7]
   */
  replaced(): void {
    this.pages?.clear();
    this.#pendingUnsubscribes.down();
    for (const topic of this.#byName.values()) topic.replaced();
    this.#alarm.set(this.port.requestTimeoutMs, () => this.#left());
  }

  /** The predecessor is closed. */
  oldDown(): void {
    this.#alarm.clear();
    this.#left();
  }

  end(error: Error | undefined): void {
    for (const topic of this.#byName.values()) topic.end(error);
  }

  /** @throws Error for an invalid message. */
  message(message: Incoming): void {
    check(message);
    const topic = this.#byName.get(message.topic);
    const unfinished = this.pages?.get(message.topic)?.start;
    if (this.pages?.take(message, (each) => this.message(each))) return topic?.heard();
    const held = this.#moving.get(topic);
    if (held !== undefined && (held.length > 0 || topic?.lacks(message))) return void held.push(message);
    switch (message.type) {
      case 'event':
        topic?.event(message);
        break;
      case 'lost':
        topic?.lost(message);
        break;
      case 'unsubscribed':
        // A message with an id is an answer to our unsubscribe. [L-3.9]
        if (message.id !== undefined) this.#pendingUnsubscribes.answered(message.id, message.topic);
        else if (unfinished === undefined) topic?.ended(endedByServer(message));
        else topic?.failed(unfinished.id, endedByServer(message), message.retryAfterMs);
        break;
      case 'subscribed':
        this.#subscribed(message, topic);
        break;
    }
  }

  /** A message of the predecessor. Only events count; for the rest, the successor decides. */
  late(message: Incoming): void {
    const topic = this.#byName.get(message.topic);
    const held = this.#moving.get(topic);
    if (held === undefined) return;
    if (message.type !== 'event') return topic?.left();
    check(message);
    topic?.event(message);
    // The fresh start of the successor waited for this.
    if (held[0] !== undefined && !topic?.lacks(held[0])) topic?.moved();
  }

  /**
   * Returns whether the error answered subscribes or unsubscribes. Without a topic it answers all
   * with its id. [L-3.14]
   */
  failed(message: ErrorMessage): boolean {
    let found = this.#pendingUnsubscribes.failed(message);
    for (const topic of this.#byName.values()) {
      if (!topic.awaits(message.id) || (message.topic ?? topic.name) !== topic.name) continue;
      topic.failed(message.id, new LiveError(message.code, message.message), message.retryAfterMs);
      found = true;
    }
    return found;
  }

  #left(): void {
    for (const topic of this.#byName.values()) topic.left();
  }

  #subscribed(message: SubscribedMessage, topic: ClientTopic | undefined): void {
    if (message.id === undefined) topic?.pushed(message);
    else if (topic?.awaits(message.id) === true) topic.answered(message);
  }
}

function check(message: Incoming): void {
  const { type } = message;
  const offset = type === 'event' ? message.offset : type === 'lost' ? message.to : 0;
  if (type === 'subscribed' ? !isPosition(message) : !Number.isSafeInteger(offset))
    throw new Error('The server sent an invalid position');
}

function endedByServer({ code = 'forbidden', reason }: UnsubscribedMessage): LiveError {
  return new LiveError(code, reason ?? 'The server ended this subscription');
}
