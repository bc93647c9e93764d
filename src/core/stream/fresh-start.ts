import type { Hub } from '../fanout/hub.js';
import type { Subscription, ResyncQueue } from '../fanout/subscription.js';
import type { Topic } from '../fanout/topic.js';
import { announced, SharedFrame } from '../frame/shared-frame.js';
import { subscribedText } from '../frame/message-text.js';
import type { SnapshotPages } from '../frame/pages.js';
import type { Broker } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { TopicRules } from '../ports/policy.js';
import { CloseCode, CloseReason } from '../../protocol/codes.js';
import { type Following, followingOf } from './following.js';
import { Retry } from './retry.js';
import { type Snapshot, snapshotFor, type SnapshotRun } from '../fanout/snapshot-run.js';
import type { Snapshots } from './snapshots.js';
import { LostFrames } from './lost-frames.js';

/** Failed snapshots before the connections are closed instead. */
const maxAttempts = 8;

export interface ResyncParts {
  readonly hub: Hub;
  readonly broker: Broker;
  readonly snapshots: Snapshots;
  readonly clock: Clock;
  readonly observer: Observer;
}

/**
 * Frames of the `subscribed` with a snapshot or before its pages, shared even by subscriptions that
 * started to wait at different times.
 */
const framesOfStarts = new WeakMap<Snapshot | SnapshotPages, readonly SharedFrame[]>();

/** Returns the first offset that a subscription was not sent. */
export type LostFrom = (subscription: Subscription) => number;

/** Subscriptions of one topic that wait for the same snapshot and continue from it. */
export class FreshStart implements ResyncQueue {
  /**
   * Waiting subscriptions, with the first offset that each lost. Unknown if the stream was
   * replaced.
   */
  private readonly lostFrom = new Map<Subscription, number | undefined>();
  /** The stream that these offsets belong to. */
  private readonly epoch: string | undefined;
  private readonly retry: Retry;
  private run: SnapshotRun | undefined;
  private attempts = 0;

  constructor(
    private readonly parts: ResyncParts,
    private readonly topic: Topic,
    private readonly rules: TopicRules,
    subscriptions: readonly Subscription[],
    lostFrom: LostFrom | undefined,
  ) {
    this.epoch = topic.epoch;
    this.retry = new Retry(parts.clock, () => this.attempt());
    for (const subscription of subscriptions) this.take(subscription, lostFrom?.(subscription));
  }

  begin(): void {
    if (this.lostFrom.size > 0) this.attempt();
  }

  left(subscription: Subscription): void {
    this.lostFrom.delete(subscription);
    if (this.lostFrom.size === 0) this.end();
  }

  private take(subscription: Subscription, from: number | undefined): void {
    const { room } = subscription;
    if (room instanceof FreshStart) room.losesMore(subscription, from, this.epoch);
    else if (subscription.index >= 0) {
      this.topic.pause(subscription, this);
      this.lostFrom.set(subscription, from);
    }
  }

  private losesMore(subscription: Subscription, from: number | undefined, epoch: string | undefined): void {
    const known = this.lostFrom.get(subscription);
    const both = from !== undefined && known !== undefined && epoch === this.epoch;
    this.lostFrom.set(subscription, both ? Math.min(known, from) : undefined);
  }

  private attempt(): void {
    const { broker, snapshots } = this.parts;
    if (!broker.available) {
      this.retry.plan();
      return;
    }
    this.attempts += 1;
    const run = snapshots.join(this.topic, this.rules);
    if (run === undefined) return;
    this.run = run;
    const settle = (snapshot?: Snapshot): void => {
      if (this.run === run) this.settled(run, snapshot);
    };
    run.result.then(settle, () => settle());
  }

  private settled(run: SnapshotRun, snapshot: Snapshot | undefined): void {
    const following = snapshot && followingOf(this.parts.hub, this.topic, snapshot, run.hold);
    if (snapshot !== undefined && following !== undefined) this.tell(snapshot, following);
    this.leaveRun();
    if (this.lostFrom.size === 0) return;
    if (this.attempts < maxAttempts) this.retry.plan();
    else this.giveUp();
  }

  /** Sends everything to each subscription without interruption, so that nothing overtakes it. */
  private tell(snapshot: Snapshot, { frames, offset }: Following): void {
    const { topic, parts } = this;
    const { position } = snapshot;
    const lost = new LostFrames(topic.wireName, position.offset);
    const members = [...this.lostFrom];
    this.lostFrom.clear();
    for (const [subscription, from] of members) {
      if (subscription.room !== this) continue;
      // Pushing may end the subscription or start this over for it.
      topic.resume(subscription, offset);
      const { maxBytes } = subscription;
      const wanted = snapshotFor(snapshot, subscription);
      const pages = parts.snapshots.pagesOf(topic, wanted, subscription);
      const subscribed = this.framesOf(wanted, pages);
      const isTooLarge = subscribed.some(({ messageBytes }) => messageBytes > maxBytes);
      if (isTooLarge || (maxBytes < Infinity && pages !== undefined && pages.maxBytes > maxBytes)) {
        // After it subscribes again, the answer says that the snapshot is too large.
        subscription.connection.close(CloseCode.positionLost, CloseReason.positionLost);
        continue;
      }
      const known = from !== undefined && this.epoch === position.epoch ? lost.from(from) : undefined;
      push(
        subscription,
        known === undefined ? [...subscribed, ...frames] : [known, ...subscribed, ...frames],
      );
      if (pages !== undefined && subscription.index >= 0) subscription.send(pages, parts.observer);
    }
    parts.observer.outbound('subscribed', members.length);
    if (lost.count > 0) parts.observer.outbound('lost', lost.count);
    if (frames.length > 0) parts.observer.outbound('event', frames.length * members.length);
    parts.observer.restarted('done', members.length);
  }

  private framesOf(snapshot: Snapshot, pages: SnapshotPages | undefined): readonly SharedFrame[] {
    let frames = framesOfStarts.get(pages ?? snapshot);
    if (frames === undefined) {
      const { position, text, entryLimits } = snapshot;
      const start = { id: undefined, topic: this.topic.wireName, position, recovered: false, entryLimits };
      const state = pages === undefined ? { snapshot: text } : { snapshot: undefined, paged: true };
      frames = announced(this.parts.hub.frame(subscribedText({ ...start, ...state })));
      framesOfStarts.set(pages ?? snapshot, frames);
    }
    return frames;
  }

  private giveUp(): void {
    const members = [...this.lostFrom.keys()];
    for (const { connection } of members) connection.close(CloseCode.positionLost, CloseReason.positionLost);
    this.parts.observer.restarted('failed', members.length);
  }

  private end(): void {
    this.retry.stop();
    this.leaveRun();
  }

  private leaveRun(): void {
    const { run } = this;
    this.run = undefined;
    run?.leave();
  }
}

function push(subscription: Subscription, frames: readonly SharedFrame[]): void {
  for (const frame of frames) {
    if (subscription.index < 0) return;
    subscription.outbox.push(frame.within(subscription.maxBytes));
  }
}
