import { isTemporary } from '../protocol/codes.js';
import type { LiveError } from '../protocol/live.error.js';
import type { EventMessage, LostMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import type { LocalSubscription } from './local-subscription.js';
import { hasSnapshots, Locals } from './locals.js';
import type { Incoming, Port } from './port.js';
import { SubscribeAttempt } from './subscribe-attempt.js';

/** Gaps closer together than this are retried with back-off. */
const gapsApartMs = 5_000;

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
  #request: SubscribeAttempt | undefined;
  /** Id of the last request that was answered with a position. */
  #answeredId: number | undefined;
  #attempt = 0;
  #lastGapAt = -Infinity;
  /** Timeout of a request, or delay before the next one. */
  readonly #alarm: Alarm;

  constructor(
    readonly name: string,
    private readonly port: Port,
    /** Topics that rely on the predecessor, with messages of the successor that wait for it. */
    private readonly movers: Map<ClientTopic | undefined, Incoming[]>,
    /** Called when the server may have a subscription that is no longer wanted. */
    private readonly unsubscribe: () => void,
    /** Called when no local subscription is left. */
    private readonly forget: () => void,
    /** Called with messages that have waited. */
    private readonly handle: (message: Incoming) => void,
  ) {
    this.#alarm = new Alarm(port.platform);
  }

  /** Whether events of the predecessor count. [L-10.7] */
  get moving(): boolean {
    return this.movers.has(this);
  }

  /** Whether an answer with this id is one to the current request, or a second one to the last. */
  awaits(id: unknown): boolean {
    return id !== undefined && (id === this.#request?.id || (this.#linked && id === this.#answeredId));
  }

  add(local: LocalSubscription): void {
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
    if (!this.port.ready || this.#request !== undefined || this.#alarm.armed) return;
    const behind = this.#locals.behind(this.moving);
    if (behind !== undefined) return this.#ask(behind);
    const starting = this.#locals.starting();
    const current = this.#snapshots === false ? this.#locals.newest() : undefined;
    if (current !== undefined) for (const local of starting) local.startsAt(current);
    else if (starting.length > 0) this.#ask(undefined);
  }

  /** A topic that is moving may go back to the predecessor. */
  down(): void {
    this.#settle();
    if (!this.moving) this.#cut();
  }

  /** The connection has a successor. An answer under way could begin another stream. */
  replaced(): void {
    if (this.#linked && this.#request === undefined) this.movers.set(this, []);
    else this.movers.delete(this);
    this.down();
  }

  /** Whether a message is a start beyond what a subscriber has. */
  lacks(message: Incoming): boolean {
    return message.type === 'subscribed' && this.#locals.lack(message);
  }

  /** The predecessor no longer counts. */
  moved(): void {
    const held = this.movers.get(this);
    if (!this.movers.delete(this)) return;
    held?.forEach(this.handle);
    this.port.settled();
  }

  /** The predecessor no longer delivers this topic, so the successor has to. */
  left(): void {
    if (this.moving) this.#cut();
  }

  heard(): void {
    this.#request?.heard();
  }

  answered(message: SubscribedMessage): void {
    if (message.id !== this.#request?.id) {
      // It began the subscription again, perhaps in a new epoch: some must catch up.
      this.#locals.cutBefore(message);
      return this.next();
    }
    const since = this.#request?.since;
    this.#answeredId = this.#request?.id;
    this.#settle();
    this.#linked = true;
    this.moved();
    this.#attempt = 0;
    // A different epoch continues `since` only at exactly that offset.
    const isSame = since?.epoch === message.epoch || since?.offset === message.offset;
    if (since !== undefined && message.recovered && isSame)
      this.#locals.continue(since, message.epoch, this.#snapshots);
    else {
      this.#snapshots = hasSnapshots(message);
      this.#locals.startOver(message, since);
    }
    this.paced();
  }

  /** A fresh start after a loss [L-5.7], or a new epoch of the same stream [L-5.14]. */
  pushed(message: SubscribedMessage): void {
    if (!this.#linked) return;
    if (message.recovered) this.#locals.goOnUnder(message);
    else {
      this.#snapshots = hasSnapshots(message);
      if (this.#request === undefined) this.#alarm.clear();
      this.#locals.pushed(message);
    }
    this.next();
  }

  /** An event that cannot be delivered now is dropped; a new request repeats it. [L-3.10] */
  event(event: EventMessage): void {
    if (!this.#locals.offer(event) && this.#request === undefined && !this.#alarm.armed) this.#gap();
  }

  /** Publications are lost. Topics with snapshots restart; others go on after them. [L-5.8] */
  lost({ to }: LostMessage): void {
    const waits = this.#locals.lost(to, this.#snapshots === true);
    // The new start arrives unrequested. If it is in flight, it arrives before a pong.
    if (waits && this.#request === undefined && !this.#alarm.armed)
      this.#alarm.set(this.port.requestTimeoutMs, () => this.port.suspect(() => this.next()));
  }

  failed(id: unknown, error: LiveError, retryAfterMs: unknown): void {
    this.left();
    if (id !== this.#request?.id) {
      // What the first answer began has ended. A newer request begins again.
      this.#cut();
      if (this.#request !== undefined) return;
    }
    if (isTemporary(error.code)) return this.#retry(error, positiveOrZero(retryAfterMs));
    this.#asked = this.#linked;
    this.#settle();
    this.end(error);
  }

  /** Ends every local subscription. */
  end(error?: Error): void {
    const locals = [...this.#locals];
    this.#locals.clear();
    this.#leave();
    for (const local of locals) local.end(error);
  }

  /** The server ended the subscription. If the code is temporary, subscribes again. [L-3.12] */
  ended(error: LiveError): void {
    if (!this.#linked) return;
    if (isTemporary(error.code)) {
      if (this.#request === undefined) this.#retry(error, 0);
      return;
    }
    this.#asked = this.#request !== undefined;
    this.end(error);
  }

  #ask(since: Position | undefined): void {
    const request = this.#locals.request(this.name, since);
    this.#asked = true;
    this.#rate = request.maxRate ?? Infinity;
    this.#request = new SubscribeAttempt(this.port, this.#alarm, request, this.#attempt > 0);
  }

  /** The state of a failed request is unknown, so it is retried as after a disconnect. */
  #retry(error: LiveError, askedForMs: number): void {
    const delayMs = askedForMs + this.port.backoffMs(this.#attempt);
    this.#settle();
    this.#cut();
    this.#alarm.set(delayMs, () => this.next());
    if (this.#attempt++ === 0) this.port.report(error);
    this.port.waiting(this.name, error, delayMs);
  }

  #settle(): void {
    this.#request?.end();
    this.#request = undefined;
    this.#alarm.clear();
  }

  #cut(): void {
    this.#linked = false;
    this.#locals.cut();
    this.moved();
  }

  #gap(): void {
    const now = this.port.platform.now();
    const soon = now - this.#lastGapAt < gapsApartMs;
    this.#lastGapAt = now;
    if (soon) this.#alarm.set(this.port.backoffMs(this.#attempt++), () => this.next());
    else this.next();
  }

  #leave(): void {
    this.#settle();
    if (this.#asked && this.port.ready) this.unsubscribe();
    this.forget();
    this.moved();
  }
}
