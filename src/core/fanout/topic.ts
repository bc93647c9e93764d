// hot path
import type { Connection } from '../connection/connection.js';
import type { Wanted } from '../connection/membership.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { DeliveryRules } from '../ports/policy.js';
import type { Pace } from '../pace/pace.js';
import { Pacing } from '../pace/pacing.js';
import { rateFor } from '../pace/rate.js';
import type { Backlogs } from '../outbound/backlogs.js';
import type { Publication, StreamReading } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import { type SharedRun, type HoldBuffer, HoldBuffers } from './hold-buffers.js';
import type { SnapshotRun } from './snapshot-run.js';
import { Gathering, type Windows } from './gathering.js';
import { type MakeMerged, SharedEvent } from '../frame/shared-event.js';
import { wireNameOf } from './personal-topic.js';
import { Subscribers, type SubscribedTopic, Subscription, type ResyncQueue } from './subscription.js';

/** Notified of the subscribers of one topic on this instance. */
export interface SubscriberListener {
  joined(connection: Connection): void;
  left(connection: Connection): void;
}

/** The repair of a topic whose publications arrived out of order. */
export interface Healing {
  /** Takes publications that arrive during the repair. */
  take(epoch: string, publication: Publication): void;
  /** More may have been missed: what is being read may have been read before that. */
  doubt(): void;
  /** Settles when the next call to the broker has succeeded or failed. */
  readonly tried: Promise<void>;
  /** Approximate bytes of the taken publications. */
  readonly queuedBytes: number;
  /** The topic is closed. */
  over(): void;
}

/** What a topic needs from its hub. */
export interface TopicSurroundings {
  readonly clock: Clock;
  readonly windows: Windows;
  readonly backlogs: Backlogs;
  /** Milliseconds to gather publications if the topic does not set it. */
  readonly flushMs: number;
  /** Frame of a publication that covers everything `from` an offset. */
  merged(topic: string, publication: Publication, from: number): SharedFrame;
  leftOut(topic: Topic, subscription: Subscription, from: number): void;
  unused(topic: Topic): void;
}

const nobody: ReadonlySet<Subscription> = new Set();

/** A topic with subscribers or pending subscribes on this instance. */
export class Topic implements SubscribedTopic {
  /** Position of the last delivery. Unknown and 0 before the first publication and subscriber. */
  epoch: string | undefined;
  offset = 0;
  /** Set while something is missing. Nothing is delivered then. */
  healing: Healing | undefined;
  /** Its name in messages to clients. */
  readonly wireName: string;
  /** Notified of the subscribers. */
  audience: SubscriberListener | undefined;
  /** The snapshot in progress, shared by all subscribes that arrive before it ends. */
  snapshotRun: SnapshotRun | undefined;
  /** Reads in progress, by the position they start from. Set while there are any. */
  readings: Map<string, SharedRun<StreamReading>> | undefined;
  private pausedNow: Set<Subscription> | undefined;
  private readonly subscribers = new Subscribers();
  private readonly holds: HoldBuffers;
  /** Created with the first subscriber that needs it. */
  private pacing: Pacing | undefined;
  private readonly gathering: Gathering;

  constructor(
    /** Its name for the broker and the policy. */
    readonly name: string,
    /** Settles when the broker's subscription is active or has failed. */
    readonly ready: Promise<void>,
    private readonly surroundings: TopicSurroundings,
    private readonly delivery: DeliveryRules,
  ) {
    const { backlogs, windows, flushMs } = surroundings;
    this.wireName = wireNameOf(name);
    this.holds = new HoldBuffers(backlogs);
    this.gathering = new Gathering(this.subscribers, windows, delivery.flushMs ?? flushMs);
  }

  /** Subscriptions that wait for a fresh start. They still count as subscriptions. */
  get paused(): ReadonlySet<Subscription> {
    return this.pausedNow ?? nobody;
  }

  /** Subscriptions that are delivered to. */
  get subscriptions(): readonly Subscription[] {
    return this.subscribers.all;
  }

  /** Bytes that wait in this topic, outside of any connection's queue. */
  get queuedBytes(): number {
    const { holds, pacing, gathering, healing } = this;
    return holds.bytes + gathering.byteLength + (pacing?.queuedBytes ?? 0) + (healing?.queuedBytes ?? 0);
  }

  /** Whether a subscription here has a position to continue. */
  get hasReaders(): boolean {
    return this.subscribers.count > 0 || this.paused.size > 0;
  }

  /** Whether a publication is the next one and can be delivered at once. */
  isNext(epoch: string, offset: number): boolean {
    return offset === this.offset + 1 && epoch === this.epoch && this.healing === undefined;
  }

  /** Hands one publication to all. Returns the number of live subscribers. */
  deliver(epoch: string, publication: Publication, frame: SharedFrame): number {
    const { count } = this.subscribers;
    const { offset } = publication;
    this.epoch = epoch;
    this.offset = offset;
    if (count > 0) this.gathering.add(new SharedEvent(publication, frame, this.merged));
    if (this.holds.size > 0) this.holds.add(epoch, offset, frame);
    return count;
  }

  /** Sends the gathered publications now. */
  endWindow(): void {
    this.gathering.end();
  }

  /** The stream was replaced. The topic is at this position now. */
  startOver(epoch: string, offset: number): void {
    this.endWindow();
    this.pacing?.startOver();
    this.subscribers.startOver();
    this.epoch = epoch;
    this.offset = offset;
    this.forgetRuns();
  }

  /** Reads and snapshots in progress are not shared with later subscribes. */
  forgetRuns(): void {
    this.snapshotRun = undefined;
    this.readings = undefined;
  }

  /** The same stream continues under another epoch. Positions are in that epoch now. */
  continueUnder(epoch: string): void {
    this.endWindow();
    this.epoch = epoch;
    this.forgetRuns();
  }

  leftOut(subscription: Subscription, from: number): void {
    this.surroundings.leftOut(this, subscription, from);
  }

  private readonly merged: MakeMerged = (publication, from) =>
    this.surroundings.merged(this.wireName, publication, from);

  /**
   * Whether a subscriber with this position can be delivered to from now on. Without other readers,
   * the topic adopts its position.
   */
  continues(epoch: string, offset: number): boolean {
    return !this.hasReaders || (epoch === this.epoch && offset >= this.offset);
  }

  /** Adds a subscriber with a position that `continues` accepted. */
  add(connection: Connection, epoch: string, after: number, wanted: Wanted = {}): Subscription {
    if (epoch !== this.epoch || after < this.offset) {
      // The gathered publications were for subscribers that have left.
      this.endWindow();
      this.epoch = epoch;
      this.offset = after;
    }
    const subscription = new Subscription(connection, this, after, wanted);
    subscription.pace = this.paceOf(subscription, wanted.maxRate);
    this.resume(subscription, after);
    this.audience?.joined(connection);
    return subscription;
  }

  /** Most subscriptions have none: they get each publication at once. */
  private paceOf(subscription: Subscription, askedRate: number | undefined): Pace | undefined {
    const { slow = 'close', maxRate } = this.delivery;
    const rate = rateFor(askedRate, maxRate);
    if (slow === 'close' && rate === undefined) return undefined;
    const { clock, backlogs } = this.surroundings;
    this.gathering.paced = this.pacing ??= new Pacing(slow, clock, backlogs);
    return this.pacing.paceOf(subscription, rate);
  }

  /** Delivers to the subscription from now on. */
  resume(subscription: Subscription, after: number): void {
    this.unpause(subscription);
    subscription.room = undefined;
    subscription.goOnAfter(after);
    this.subscribers.add(subscription);
  }

  /** Delivers nothing to the subscription until `resume`. It still counts as one. */
  pause(subscription: Subscription, room: ResyncQueue): void {
    this.takeOut(subscription);
    (this.pausedNow ??= new Set()).add(subscription);
    subscription.room = room;
  }

  /** Ends the subscription. */
  remove(subscription: Subscription): void {
    const { room } = subscription;
    if (subscription.index < 0 && room === undefined) return;
    this.takeOut(subscription);
    this.unpause(subscription);
    subscription.room = undefined;
    room?.left(subscription);
    this.audience?.left(subscription.connection);
    this.checkUse();
  }

  /** Starts to hold publications. Every hold must be given back with `release`. */
  hold(): HoldBuffer {
    return this.holds.open();
  }

  release(hold: HoldBuffer): void {
    this.holds.close(hold);
    this.checkUse();
  }

  private unpause(subscription: Subscription): void {
    if (this.pausedNow?.delete(subscription) === true && this.pausedNow.size === 0)
      this.pausedNow = undefined;
  }

  private takeOut(subscription: Subscription): void {
    subscription.stopSending();
    this.subscribers.remove(subscription);
  }

  private checkUse(): void {
    if (!this.hasReaders && this.holds.size === 0) this.surroundings.unused(this);
  }
}
