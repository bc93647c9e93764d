import { isTemporary } from '../protocol/codes.js';
import { LiveError } from '../protocol/live.error.js';
import type { ErrorMessage, EventMessage, LostMessage, SubscribedMessage } from '../protocol/messages.js';
import type { Position } from '../protocol/position.js';
import { Alarm } from './alarm.js';
import { askedMs } from './backoff.js';
import type { LocalSubscription } from './local-subscription.js';
import type { Port } from './port.js';

/** Gaps that follow each other faster than this are asked about with back-off. */
const gapsApartMs = 5_000;

/** One topic: all local subscriptions to it share one subscription of the server. */
export class Topic {
  readonly #locals = new Set<LocalSubscription>();
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
  #request: { readonly id: number; readonly since: Position | undefined } | undefined;
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
    if (this.#linked && this.#fastest() !== this.#rate) this.#cut();
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
    if (since !== undefined && message.recovered && isSame) this.#continues(since, message.epoch);
    else this.#startsOver(message, since);
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
        // The start follows unasked.
        if (this.#request === undefined && !this.#alarm.armed)
          this.#alarm.set(this.port.requestTimeoutMs, () => this.#next());
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
    this.#retry(askedMs(retryAfterMs));
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
      if (this.#request === undefined) this.#retry(0);
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
      this.#ask(this.#earliest(behind));
      return;
    }
    const starting = locals.filter(({ want }) => want !== 'nothing');
    const current = this.#snapshots === false ? this.#newest() : undefined;
    if (current !== undefined) for (const local of starting) local.startsAt(current);
    else if (starting.length > 0) this.#ask(undefined);
  }

  /** The earliest position in the same epoch that somebody here would continue: nobody is left behind by the answer. */
  #earliest(behind: Position): Position {
    let earliest = behind;
    for (const { position, want } of this.#locals) {
      if (want === 'restart' || position?.epoch !== behind.epoch) continue;
      if (position.offset < earliest.offset) earliest = position;
    }
    return earliest;
  }

  /** What satisfies all of them. */
  #fastest(): number {
    return Math.max(...Array.from(this.#locals, ({ maxRate }) => maxRate));
  }

  #newest(): Position | undefined {
    let newest: Position | undefined;
    for (const { position, want } of this.#locals) {
      if (want === 'nothing' && position !== undefined && position.offset >= (newest?.offset ?? 0))
        newest = position;
    }
    return newest;
  }

  #ask(since: Position | undefined): void {
    const id = this.port.nextId();
    const rate = this.#fastest();
    this.#request = { id, since };
    this.#asked = true;
    this.#rate = rate;
    this.#alarm.set(this.port.requestTimeoutMs, () => {
      this.port.suspect();
      this.#retry(0);
    });
    const how = { ...(since !== undefined && { since }), ...(rate < Infinity && { maxRate: rate }) };
    this.port.send({ type: 'subscribe', id, topic: this.name, ...how });
  }

  /** Nothing is known of a subscription whose request failed: it is asked for again as after a cut. */
  #retry(askedForMs: number): void {
    this.#settle();
    this.#cut();
    this.#alarm.set(askedForMs + this.port.backoffMs(this.#attempt++), () => this.#next());
  }

  #settle(): void {
    this.#request = undefined;
    this.#alarm.clear();
  }

  #cut(): void {
    this.#linked = false;
    for (const local of this.#locals) local.cut();
  }

  /** Everything after `since` comes again, under `epoch`, also for who was to start over. [L-5.13] */
  #continues(since: Position, epoch: string): void {
    const now = { epoch, offset: since.offset };
    for (const local of this.#locals) {
      if (epoch !== since.epoch && local.isAt(since)) local.goesOnUnder(now);
      if (local.reached(now)) local.continues();
      // How much of that epoch is left beyond `since`, only a question of its own tells.
      else if (local.reached(since)) local.cut();
      else if (local.want !== 'nothing') continue;
      // It stands in a stream that is gone, and was not told because this request came first.
      else if (this.#snapshots === false) local.startsAt(now, 'new-epoch');
      else local.missed();
    }
  }

  #startsOver(start: SubscribedMessage, since: Position | undefined): void {
    this.#snapshots = 'snapshot' in start;
    for (const local of this.#locals) {
      const { want } = local;
      const unrecovered = want === 'catch-up' && since !== undefined && local.reached(since);
      if (want === 'start' || want === 'restart' || unrecovered) local.startsAt(start);
      else if (want === 'catch-up' || local.reached(start)) continue;
      // A start for another one passed over what this one lacks. That is worth one question, but not a second one:
      // two that ask in turn would pass over each other for ever.
      else if (since === undefined) local.cut();
      else local.startsAt(start);
    }
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
