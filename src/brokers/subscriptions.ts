import type { Cancel, Clock } from '../core/ports/clock.js';

/** Executes the commands. Each call covers all its channels at once. */
export interface SubscriptionEngine {
  subscribe(channels: readonly string[]): Promise<void>;
  unsubscribe(channels: readonly string[]): Promise<void>;
}

export interface SubscriptionOptions {
  /**
   * Milliseconds that a subscription stays after its last reader has left, give or take a quarter.
   */
  readonly lingerMs: number;
  /** Maximum lingering subscriptions; beyond it the oldest ends at once. */
  readonly maxLingering: number;
  /** Called with the error of a failed unsubscribe. */
  readonly failed: (error: unknown) => void;
}

interface Subscription {
  readonly topic: string;
  readonly channel: string;
  /** Whether it has a reader; if not, it lingers. */
  wanted: boolean;
  inForce: boolean;
  /** Whether the engine ended it behind a command in flight, whose answer is then out of date. */
  overtaken: boolean;
  /** Whether it was in force for its present reader, which needs it on the next engine too. */
  established: boolean;
  untilMs: number;
  readonly waiters: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[];
}

/** Channels per command, few enough for other commands to get their turn. */
const batchSize = 512;

/**
 * Tracks the topics subscribed in the engine. An unused subscription lingers, so a quick return
 * costs nothing. One command is in flight at a time and later requests join the next one, so round
 * trips bound the number of commands.
 */
export class Subscriptions {
  private readonly byChannel = new Map<string, Subscription>();
  private readonly starting = new Set<Subscription>();
  // Ordered by the end of their time.
  private readonly lingering = new Set<Subscription>();
  private readonly ending = new Set<Subscription>();
  private engine: SubscriptionEngine | undefined;
  private busy = false;
  private planned = false;
  private endsNext = false;
  private cancelSweep: Cancel | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly options: SubscriptionOptions,
  ) {}

  /** All subscriptions: wanted, lingering, or about to end. */
  get size(): number {
    return this.byChannel.size;
  }

  /** The topic of a channel that has a reader. */
  topicOf(channel: string): string | undefined {
    const subscription = this.byChannel.get(channel);
    return subscription?.wanted === true ? subscription.topic : undefined;
  }

  /**
   * Resolves once the subscription is in force. Rejects, and drops the subscription, if it cannot
   * be. Called once until `remove`.
   */
  async add(topic: string, channel: string): Promise<void> {
    const subscription = this.byChannel.get(channel) ?? this.make(topic, channel);
    subscription.wanted = true;
    this.lingering.delete(subscription);
    this.ending.delete(subscription);
    if (subscription.inForce) subscription.established = true;
    else await this.started(subscription);
  }

  remove(channel: string): void {
    const subscription = this.byChannel.get(channel);
    if (subscription === undefined || !subscription.wanted) return;
    subscription.wanted = subscription.established = false;
    if (this.engine === undefined) {
      this.byChannel.delete(channel);
      return;
    }
    subscription.untilMs = this.clock.now() + this.options.lingerMs;
    this.lingering.add(subscription);
    const [oldest] = this.lingering;
    if (oldest !== undefined && this.lingering.size > this.options.maxLingering) {
      this.end(oldest);
      this.plan();
    }
    this.planSweep();
  }

  /** Subscribes to every channel on a new engine. */
  async attach(engine: SubscriptionEngine): Promise<void> {
    this.engine = engine;
    await Promise.all([...this.byChannel.values()].map((subscription) => this.started(subscription)));
  }

  /**
   * Restores a subscription that the engine ended by itself. Does nothing if it is no longer known.
   */
  async renew(channel: string): Promise<void> {
    const subscription = this.byChannel.get(channel);
    if (subscription === undefined) return;
    if (this.ending.delete(subscription)) return void this.byChannel.delete(channel);
    subscription.inForce = false;
    subscription.overtaken = subscription.waiters.length > 0 && !this.starting.has(subscription);
    await this.started(subscription);
  }

  /**
   * Rejects the waiting calls. The next engine inherits the subscriptions in force, except
   * lingering ones.
   */
  detach(error: Error): void {
    this.engine = undefined;
    this.busy = false;
    this.cancelSweep?.();
    this.cancelSweep = undefined;
    for (const set of [this.starting, this.lingering, this.ending]) set.clear();
    for (const subscription of Array.from(this.byChannel.values())) this.refuse(subscription, error);
  }

  private make(topic: string, channel: string): Subscription {
    const subscription: Subscription = {
      topic,
      channel,
      wanted: true,
      inForce: false,
      overtaken: false,
      established: false,
      untilMs: 0,
      waiters: [],
    };
    this.byChannel.set(channel, subscription);
    return subscription;
  }

  private started(subscription: Subscription): Promise<void> {
    return new Promise((resolve, reject) => {
      // A command in flight for this subscription answers this call as well.
      if (subscription.waiters.push({ resolve, reject }) === 1) this.starting.add(subscription);
      this.plan();
    });
  }

  /** Defers to the end of the tick, which gathers many requests into one command. */
  private plan(): void {
    if (this.planned) return;
    this.planned = true;
    this.clock.soon(() => {
      this.planned = false;
      this.pump();
    });
  }

  private pump(): void {
    const { engine } = this;
    if (engine === undefined || this.busy) return;
    const ends = this.ending.size > 0 && (this.endsNext || this.starting.size === 0);
    const batch = take(ends ? this.ending : this.starting);
    if (batch.length === 0) return;
    this.busy = true;
    this.endsNext = !ends;
    const channels = batch.map(({ channel }) => channel);
    // Forget them now: a new subscriber sends a new command, which runs behind this one.
    if (ends) for (const channel of channels) this.byChannel.delete(channel);
    const done = (run: () => void): void => {
      if (this.engine !== engine) return;
      this.busy = false;
      run();
      this.pump();
    };
    const work = ends ? engine.unsubscribe(channels) : engine.subscribe(channels);
    work.then(
      () => done(() => (ends ? undefined : batch.forEach((subscription) => this.took(subscription)))),
      (error: unknown) =>
        done(() => {
          if (ends) this.options.failed(error);
          else for (const subscription of batch) this.refuse(subscription, error);
        }),
    );
  }

  private took(subscription: Subscription): void {
    if (subscription.overtaken) {
      subscription.overtaken = false;
      this.starting.add(subscription);
      return;
    }
    subscription.inForce = true;
    subscription.established = subscription.wanted;
    for (const { resolve } of subscription.waiters.splice(0)) resolve();
  }

  private refuse(subscription: Subscription, error: unknown): void {
    subscription.inForce = subscription.overtaken = false;
    for (const { reject } of subscription.waiters.splice(0)) reject(error);
    if (subscription.wanted && subscription.established) return;
    this.lingering.delete(subscription);
    this.byChannel.delete(subscription.channel);
  }

  private end(subscription: Subscription): void {
    this.lingering.delete(subscription);
    if (subscription.inForce) this.ending.add(subscription);
    // Not in force yet, so it lingers until it is.
    else this.lingering.add(subscription);
  }

  private planSweep(): void {
    if (this.cancelSweep !== undefined) return;
    const { lingerMs } = this.options;
    this.cancelSweep = this.clock.after(lingerMs * (0.5 + this.clock.random() / 4), () => {
      this.cancelSweep = undefined;
      const now = this.clock.now() + lingerMs / 4;
      for (const subscription of Array.from(this.lingering)) {
        if (subscription.untilMs > now) break;
        this.end(subscription);
      }
      if (this.ending.size > 0) this.plan();
      if (this.lingering.size > 0) this.planSweep();
    });
  }
}

function take(set: Set<Subscription>): Subscription[] {
  const batch: Subscription[] = [];
  for (const subscription of set) {
    if (batch.length === batchSize) break;
    set.delete(subscription);
    batch.push(subscription);
  }
  return batch;
}
