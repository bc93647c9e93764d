// hot path
import type { Connection } from '../connection/connection.js';
import type { Wanted } from '../connection/membership.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { DeliveryRules } from '../ports/policy.js';
import { Pacing } from '../pace/pacing.js';
import type { Backlogs } from '../outbound/backlogs.js';
import type { Publication, StreamReading } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { SharedRun } from './shared-run.js';
import type { SnapshotRun } from './snapshot-run.js';
import { Gathering, type Windows } from './gathering.js';
import type { Hold } from './hold.js';
import { Holds } from './holds.js';
import { type MakeMerged, SharedEvent } from '../frame/shared-event.js';
import { Subscribers } from './subscribers.js';
import { type SubscribedTopic, Subscription, type WaitingRoom } from './subscription.js';

/** Told who subscribes to one topic here, and who no longer does. */
export interface Audience {
  joined(connection: Connection): void;
  left(connection: Connection): void;
}

/** What has been begun because a topic's publications are not in their order. */
export interface Healing {
  /** Takes what comes meanwhile. */
  take(epoch: string, publication: Publication): void;
  /** Settles when the broker has answered once more, or has failed to. */
  readonly tried: Promise<void>;
  /** Bytes of what was taken, or a little more. */
  readonly queuedBytes: number;
  /** The topic is closed. */
  over(): void;
}

/** What a topic needs of the hub that it belongs to. */
export interface TopicSurroundings {
  readonly clock: Clock;
  readonly windows: Windows;
  readonly backlogs: Backlogs;
  /** Milliseconds that publications are gathered where the topic does not say. */
  readonly flushMs: number;
  /** The frame of a publication that stands for everything `from` an offset. */
  merged(topic: string, publication: Publication, from: number): SharedFrame;
  leftOut(topic: Topic, subscription: Subscription, from: number): void;
  unused(topic: Topic): void;
}

/** A topic that somebody on this instance reads, or is about to. */
export class Topic implements SubscribedTopic {
  /** Those that wait for a fresh start; they are subscriptions all the same. */
  readonly paused = new Set<Subscription>();
  /** What was delivered last; unknown, and 0, before the first publication and the first subscriber. */
  epoch: string | undefined;
  offset = 0;
  /** While it is there, nothing is delivered: something is missing before it. */
  healing: Healing | undefined;
  /** Who is told of the subscribers. */
  audience: Audience | undefined;
  /** The snapshot that is being made now; whoever comes meanwhile shares it. */
  snapshotRun: SnapshotRun | undefined;
  /** What is being read now, by the position that was asked about. */
  readonly readings = new Map<string, SharedRun<StreamReading>>();
  private readonly subscribers = new Subscribers();
  private readonly holds: Holds;
  private readonly pacing: Pacing;
  private readonly gathering: Gathering;

  constructor(
    readonly name: string,
    /** Settles when the broker's subscription is in force, or has failed. */
    readonly ready: Promise<void>,
    private readonly surroundings: TopicSurroundings,
    delivery: DeliveryRules,
  ) {
    const { clock, backlogs, windows, flushMs } = surroundings;
    this.holds = new Holds(backlogs);
    this.pacing = new Pacing(delivery, clock, backlogs);
    this.gathering = new Gathering(this.subscribers, windows, delivery.flushMs ?? flushMs);
  }

  /** Those that are delivered to. */
  get subscriptions(): readonly Subscription[] {
    return this.subscribers.all;
  }

  /** Bytes that wait in this topic for somebody, and are in no connection's queue. */
  get queuedBytes(): number {
    const { holds, pacing, gathering, healing } = this;
    return holds.bytes + pacing.queuedBytes + gathering.byteLength + (healing?.queuedBytes ?? 0);
  }

  /** Whether somebody here has a position that must be continued. */
  get hasReaders(): boolean {
    return this.subscribers.count > 0 || this.paused.size > 0;
  }

  /** Whether a publication is the one after the last, and can be delivered at once. */
  isNext(epoch: string, offset: number): boolean {
    return offset === this.offset + 1 && epoch === this.epoch && this.healing === undefined;
  }

  /** Hands one publication to all; returns how many live subscribers it had. */
  deliver(epoch: string, publication: Publication, frame: SharedFrame): number {
    const { count } = this.subscribers;
    const { offset } = publication;
    this.epoch = epoch;
    this.offset = offset;
    if (count > 0) this.gathering.add(new SharedEvent(publication, frame, this.merged));
    if (this.holds.size > 0) this.holds.add(epoch, offset, frame);
    return count;
  }

  /** What was gathered goes out now. */
  endWindow(): void {
    this.gathering.end();
  }

  /** The stream is another one: from now on the topic is at this position. */
  startOver(epoch: string, offset: number): void {
    this.endWindow();
    this.pacing.startOver();
    this.subscribers.startOver();
    this.epoch = epoch;
    this.offset = offset;
    this.forgetRuns();
  }

  /** What is being read and made now is of no use to who comes later. */
  forgetRuns(): void {
    this.snapshotRun = undefined;
    this.readings.clear();
  }

  /** The stream is the same one under another epoch: from now on its positions are in that. */
  continueUnder(epoch: string): void {
    this.endWindow();
    this.epoch = epoch;
    this.forgetRuns();
  }

  leftOut(subscription: Subscription, from: number): void {
    this.surroundings.leftOut(this, subscription, from);
  }

  private readonly merged: MakeMerged = (publication, from) =>
    this.surroundings.merged(this.name, publication, from);

  /**
   * Whether a subscriber who has everything up to this position can be delivered to from now on. Where nobody else reads
   * the topic, it goes on from there.
   */
  continues(epoch: string, offset: number): boolean {
    return !this.hasReaders || (epoch === this.epoch && offset >= this.offset);
  }

  /** Adds a subscriber that has everything up to a position that `continues`. */
  add(
    connection: Connection,
    epoch: string,
    after: number,
    { maxRate, mostBytes }: Wanted = {},
  ): Subscription {
    if (epoch !== this.epoch || after < this.offset) {
      // What is gathered was for those who have left.
      this.endWindow();
      this.epoch = epoch;
      this.offset = after;
    }
    const subscription = new Subscription(connection, this, after, mostBytes);
    subscription.pace = this.pacing.paceOf(subscription, after, maxRate);
    this.resume(subscription, after);
    this.audience?.joined(connection);
    return subscription;
  }

  /** Delivers to the subscription from now on. */
  resume(subscription: Subscription, after: number): void {
    this.paused.delete(subscription);
    subscription.room = undefined;
    subscription.goOnAfter(after);
    this.subscribers.add(subscription);
  }

  /** Delivers nothing to the subscription until it is resumed; it stays one. */
  pause(subscription: Subscription, room: WaitingRoom): void {
    this.takeOut(subscription);
    this.paused.add(subscription);
    subscription.room = room;
  }

  /** Ends the subscription. */
  remove(subscription: Subscription): void {
    const { room } = subscription;
    if (subscription.index < 0 && room === undefined) return;
    this.takeOut(subscription);
    this.paused.delete(subscription);
    subscription.room = undefined;
    room?.left(subscription);
    this.audience?.left(subscription.connection);
    this.checkUse();
  }

  /** Starts to hold back; every hold is given back by `release`. */
  hold(): Hold {
    return this.holds.open();
  }

  release(hold: Hold): void {
    this.holds.close(hold);
    this.checkUse();
  }

  private takeOut(subscription: Subscription): void {
    subscription.pace?.stop();
    this.subscribers.remove(subscription);
  }

  private checkUse(): void {
    if (!this.hasReaders && this.holds.size === 0) this.surroundings.unused(this);
  }
}
