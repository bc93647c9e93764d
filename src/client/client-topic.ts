import { isTemporary } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { ErrorMessage, EventMessage, LostMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import { Alarm } from './alarm.js';
import { positiveOrZero } from './backoff.js';
import type { LocalSubscription } from './local-subscription.js';
import { Locals } from './locals.js';
import type { Port } from './port.js';
import { SubscribeAttempt } from './subscribe-attempt.js';

/** Gaps that follow each other faster than this are asked about with back-off. */
const gapsApartMs = 5_000;

/** One topic: all local subscriptions to it share one subscription of the server. */
export class ClientTopic {
  readonly #locals = new Locals();
  /**
   * Whether the server has a subscription of ours. While it has not, everybody here wants something; what comes for this
   * topic is meant for a subscription that is over, may be of another stream, and is not for anybody here.
   */
  #linked = false;
  /** Whether this connection's server may have one. */
  #asked = false;
  /** Whether the topic's last start came with a snapshot; unknown before the first. */
  #snapshots: boolean | undefined;
  /** What the server was asked for last. */
  #rate = Infinity;
  #request: SubscribeAttempt | undefined;
  #attempt = 0;
  #lastGapAt = -Infinity;
  /** The limit of a request, or the wait before the next one. */
  readonly #alarm: Alarm;

  constructor(
    readonly name: string,
    private readonly port: Port,
    /** The server may have a subscription that nobody wants any more. */
    private readonly unsubscribe: () => void,
    /** Nobody is left in it. */
    private readonly forget: () => void,
  ) {
    this.#alarm = new Alarm(port.platform);
  }

  get requestId(): number | undefined {
    return this.#request?.id;
  }

  add(local: LocalSubscription): void {
    this.#locals.add(local);
    this.paced();
  }

  /** Somebody wants more or less often to be told: the server is asked again, from where everybody here stands. [L-4.8] */
  paced(): void {
    if (this.#linked && this.#locals.fastest() !== this.#rate) this.#cut();
    this.#next();
  }

  /** The last one to leave unsubscribes. */
  remove(local: LocalSubscription): void {
    if (!this.#locals.delete(local)) return;
    if (this.#locals.size === 0) this.#leave();
    else this.paced();
  }

  /** A new connection knows nothing yet. */
  up(): void {
    this.#next();
  }

  down(): void {
    this.#settle();
    this.#cut();
  }

  /** The answer to the request under way. */
  answered(message: SubscribedMessage): void {
    const since = this.#request?.since;
    this.#settle();
    this.#linked = true;
    this.#attempt = 0;
    // Another epoch continues `since` only from that very offset.
    const isSame = since?.epoch === message.epoch || since?.offset === message.offset;
    if (since !== undefined && message.recovered && isSame)
      this.#locals.continue(since, message.epoch, this.#snapshots);
    else {
      this.#snapshots = 'snapshot' in message;
      this.#locals.startOver(message, since);
    }
    this.paced();
  }

  /** A fresh start, after some was lost or because the stream was [L-5.7]; or only another epoch [L-5.14]. */
  pushed(message: SubscribedMessage): void {
    if (!this.#linked) return;
    if (message.recovered) {
      // Whoever still asks where it can go on may stand in a stream of which the server has not spoken.
      for (const local of this.#locals) if (local.want === 'nothing') local.goesOnUnder(message);
      this.#next();
      return;
    }
    this.#snapshots = 'snapshot' in message;
    if (this.#request === undefined) this.#alarm.clear();
    for (const local of this.#locals)
      local.startsAt(message, local.position?.epoch === message.epoch ? 'dropped' : 'new-epoch');
    this.#next();
  }

  /** What cannot be taken now is not kept: it comes again after the answer that is asked for. [L-3.10] */
  event(event: EventMessage): void {
    let taken = true;
    for (const local of this.#locals) taken = local.offer(event) && taken;
    if (!taken && this.#request === undefined && !this.#alarm.armed) this.#gap();
  }

  /** Some will not come: a topic with snapshots starts over, another goes on after them. [L-5.8] */
  lost({ to }: LostMessage): void {
    for (const local of this.#locals) {
      const at = local.position;
      if (local.want !== 'nothing' || at === undefined || at.offset >= to) continue;
      if (this.#snapshots !== true) local.startsAt({ epoch: at.epoch, offset: to }, 'dropped');
      else {
        local.missed();
        // The start follows unasked; a pong would come behind one that is on its way.
        if (this.#request === undefined && !this.#alarm.armed)
          this.#alarm.set(this.port.requestTimeoutMs, () => this.port.suspect(() => this.#next()));
      }
    }
  }

  /** The request under way failed. */
  failed({ code, message, retryAfterMs }: ErrorMessage): void {
    if (!isTemporary(code)) {
      this.#asked = this.#linked;
      this.#settle();
      this.end(new LiveError(code, message));
      return;
    }
    this.#retry(new LiveError(code, message), positiveOrZero(retryAfterMs));
  }

  /** Over for all of them. */
  end(error?: Error): void {
    const locals = [...this.#locals];
    this.#locals.clear();
    this.#leave();
    for (const local of locals) local.end(error);
  }

  /** The server has ended it already; where it only could not tell now, it is asked again. [L-3.12] */
  ended(error: LiveError): void {
    if (!this.#linked) return;
    if (isTemporary(error.code)) {
      if (this.#request === undefined) this.#retry(error, 0);
      return;
    }
    this.#asked = this.#request !== undefined;
    this.end(error);
  }

  /** Asks for what is wanted most, one request at a time: first what continues, then what starts. */
  #next(): void {
    if (!this.port.ready || this.#request !== undefined || this.#alarm.armed) return;
    const locals = [...this.#locals];
    const behind = locals.find(({ want }) => want === 'catch-up')?.position;
    if (behind !== undefined) {
      this.#ask(this.#locals.earliest(behind));
      return;
    }
    const starting = locals.filter(({ want }) => want !== 'nothing');
    const current = this.#snapshots === false ? this.#locals.newest() : undefined;
    if (current !== undefined) for (const local of starting) local.startsAt(current);
    else if (starting.length > 0) this.#ask(undefined);
  }

  #ask(since: Position | undefined): void {
    const rate = this.#locals.fastest();
    this.#asked = true;
    this.#rate = rate;
    const how = { ...(since !== undefined && { since }), ...(rate < Infinity && { maxRate: rate }) };
    this.#request = new SubscribeAttempt(
      this.port,
      this.#alarm,
      { topic: this.name, ...how },
      this.#attempt > 0,
    );
  }

  /** Nothing is known of a subscription whose request failed: it is asked for again as after a cut. */
  #retry(error: LiveError, askedForMs: number): void {
    const delayMs = askedForMs + this.port.backoffMs(this.#attempt);
    this.#settle();
    this.#cut();
    this.#alarm.set(delayMs, () => this.#next());
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
    for (const local of this.#locals) local.cut();
  }

  #gap(): void {
    const now = this.port.platform.now();
    const soon = now - this.#lastGapAt < gapsApartMs;
    this.#lastGapAt = now;
    if (soon) this.#alarm.set(this.port.backoffMs(this.#attempt++), () => this.#next());
    else this.#next();
  }

  #leave(): void {
    this.#settle();
    if (this.#asked && this.port.ready) {
      this.unsubscribe();
    }
    this.forget();
  }
}
