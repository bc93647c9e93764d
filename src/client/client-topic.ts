import { isTemporary } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { EventMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import { positiveOrZero } from './backoff.js';
import type { LocalSubscription } from './local-subscription.js';
import { hasSnapshots, Locals } from './locals.js';
import type { Incoming, Port } from './port.js';
import { TopicRequests } from './topic-requests.js';

/** One topic. All local subscriptions to it share one subscription on the server. */
export class ClientTopic {
  readonly #locals = new Locals();
  /**
   * Whether the server has confirmed our subscription. Until it has, messages of this topic belong
   * to an earlier subscription, possibly of another stream, and are ignored.
   */
  #linked = false;
  /** Whether the server may have a subscription on this connection. */
  #asked = false;
  /** Whether starts have a snapshot. Unknown before the first, and if nothing was published. */
  #snapshots: boolean | undefined;
  /** Rate of the last request. */
  #rate = Infinity;
  /** The last request that was answered with a position. */
  #last: TopicRequests['current'];
  readonly #requests: TopicRequests;
  /** Messages that wait for the predecessor, while its events count. [L-10.7] */
  #held: Incoming[] | undefined;
  readonly #port: Port;
  /** Called when neither a local subscription is left nor one on the server. */
  readonly #forget: () => void;

  constructor(name: string, port: Port, forget: () => void) {
    this.#port = port;
    this.#forget = forget;
    this.#requests = new TopicRequests(name, port, () => this.next());
  }

  /** Whether it still relies on the predecessor of the current connection. */
  get moving(): boolean {
    return !!this.#held;
  }

  /** Whether an answer with this id is one to the current request, or a second one to the last. */
  awaits(id: unknown): boolean {
    return id !== undefined && (id === this.#requests.current?.id || (this.#linked && id === this.#last?.id));
  }

  add(local: LocalSubscription): void {
    // A subscribe replaces an unsubscribe that is not answered yet.
    if (this.#locals.size === 0) this.#requests.reset();
    this.#locals.add(local);
    this.paced();
  }

  /** A rate changed. Subscribes again from the current positions if the highest differs. [L-4.8] */
  paced(): void {
    if (this.#linked && !this.moving && this.#locals.fastest() !== this.#rate) this.#cut();
    this.next();
  }

  /** Unsubscribes when the last local subscription leaves. */
  remove(local: LocalSubscription): void {
    if (!this.#locals.delete(local)) return;
    if (this.#locals.size === 0) this.#leave();
    else this.paced();
  }

  /** Sends the most urgent request if it can, one at a time: first catch-ups, then starts. */
  next(): void {
    if (!this.#port.link.ready || !this.#requests.isIdle) return;
    if (this.#locals.size === 0) return this.#requests.unsubscribe();
    const behind = this.#locals.behind(this.moving);
    if (behind) return this.#ask(behind);
    const starting = this.#locals.starting();
    const current = this.#snapshots === false ? this.#locals.newest() : undefined;
    if (current) for (const local of starting) local.startsAt(current);
    else if (starting.length > 0) this.#ask(undefined);
  }

  /** A connection is ready. If it `isBack`, it never stopped delivering what was moving. */
  up(isBack: boolean): void {
    if (isBack) this.#held = undefined;
    this.next();
  }

  /**
   * The connection is over, or has a successor. A topic that is moving may go back to the
   * predecessor. An answer under way could begin another stream.
   */
  down(isReplaced: boolean): void {
    if (isReplaced) this.#held = this.#linked && !this.#requests.current ? [] : undefined;
    this.#requests.clear();
    if (this.#locals.size === 0) this.#forget();
    else if (!this.moving) this.#cut();
  }

  /** The predecessor no longer delivers this topic, so the successor has to. */
  left(): void {
    if (this.moving) this.#cut();
  }

  message(message: Incoming): void {
    const held = this.#held;
    if (held && (held.length > 0 || this.#lacks(message))) return void held.push(message);
    switch (message.type) {
      case 'event':
        this.#offer(message);
        break;
      case 'lost':
        // Topics with snapshots restart; others go on after the loss. [L-5.8]
        if (this.#locals.lost(message.to, this.#snapshots === true)) this.#requests.expectStart();
        break;
      case 'unsubscribed':
        // A message with an id answers our unsubscribe. [L-3.9]
        if (message.id === undefined) {
          const { code = 'forbidden', reason = '', retryAfterMs } = message;
          this.failed(undefined, new LiveError(code, reason), retryAfterMs);
        } else if (message.id === this.#requests.current?.id) this.#forget();
        break;
      case 'subscribed':
        if (message.id === undefined) this.pushed(message);
        else if (this.awaits(message.id)) this.#answered(message);
        break;
    }
  }

  /** A message of the predecessor. */
  late(message: Incoming): void {
    const held = this.#held;
    if (!held) return;
    if (message.type !== 'event') return this.#cut();
    this.#offer(message);
    // The fresh start of the successor waited for this.
    if (held[0] && !this.#lacks(held[0])) this.#moved();
  }

  /** A part of a start has arrived. */
  heard(): void {
    this.#requests.heard();
    // Nobody asked for it, so the state is that of before until it is whole.
    if (this.#linked && !this.#requests.current) this.#locals.lost(Infinity, true);
  }

  /** One that cannot be delivered now is dropped; a new request repeats it. [L-3.10] */
  #offer(event: EventMessage): void {
    if (!this.#locals.offer(event)) this.#requests.gap();
  }

  #answered(message: SubscribedMessage): void {
    const { current } = this.#requests;
    if (!current || message.id !== current.id) {
      // It began the subscription again, perhaps in a new epoch: some must catch up.
      this.#locals.cut(message);
      return this.next();
    }
    const { since, pages } = current;
    this.#last = current;
    this.#requests.reset();
    this.#linked = true;
    this.#moved();
    // A different epoch continues `since` only at exactly that offset.
    const isSame = since?.epoch === message.epoch || since?.offset === message.offset;
    if (since && message.recovered && isSame) this.#locals.continue(since, message.epoch, this.#snapshots);
    else {
      this.#snapshots = hasSnapshots(message);
      this.#locals.startOver(message, since, pages);
    }
    this.paced();
  }

  /** A fresh start after a loss [L-5.7], or a new epoch of the same stream [L-5.14]. */
  pushed(message: SubscribedMessage): void {
    if (!this.#linked) return;
    if (message.recovered) this.#locals.goOnUnder(message);
    else {
      this.#snapshots = hasSnapshots(message);
      this.#requests.started();
      this.#locals.pushed(message, this.#last?.pages);
    }
    this.next();
  }

  /**
   * The server refused the request with this id, or without an id ended the subscription. If the
   * code is temporary, subscribes again. [L-3.12]
   */
  failed(id: unknown, error: LiveError, retryAfterMs: unknown): void {
    if (id === undefined && !this.#linked) return;
    this.left();
    if (id !== this.#requests.current?.id) {
      // What the first answer began has ended. A newer request begins again.
      this.#cut();
      if (this.#requests.current) return;
    }
    if (isTemporary(error.code)) {
      this.#requests.retry(error, positiveOrZero(retryAfterMs));
      // The state of a failed request is unknown, as after a disconnect.
      return this.#cut();
    }
    this.#asked = id !== undefined && this.#linked;
    this.#requests.clear();
    this.end(error);
  }

  /** Ends every local subscription. */
  end(error?: Error): void {
    const locals = [...this.#locals];
    this.#locals.clear();
    this.#leave();
    for (const local of locals) local.end(error);
  }

  #ask(since: Position | undefined): void {
    const request = this.#locals.request(since);
    this.#asked = true;
    this.#rate = request.maxRate ?? Infinity;
    this.#requests.send(request);
  }

  #cut(): void {
    this.#linked = false;
    this.#locals.cut();
    this.#moved();
  }

  #leave(): void {
    this.#requests.reset();
    this.#cut();
    if (this.#asked && this.#port.link.ready) this.next();
    else this.#forget();
  }

  /** The predecessor no longer counts. */
  #moved(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    for (const message of held) this.message(message);
    this.#port.link.settled();
  }

  /** Whether a message is a start beyond what a subscriber has. */
  #lacks(message: Incoming): boolean {
    return message.type === 'subscribed' && this.#locals.lack(message);
  }
}
