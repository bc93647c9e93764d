import type { Subscription } from '../fanout/subscription.js';
import type { Topic } from '../fanout/topic.js';
import { subscribedText } from '../frame/message-text.js';
import { SharedFrame } from '../frame/shared-frame.js';
import type { TopicRules } from '../ports/policy.js';
import { FreshStart, type LostFrom, type ResyncParts } from './fresh-start.js';
import { LostFrames } from './lost-frames.js';

/** Gives live subscriptions a fresh start, because their position cannot be continued. */
export class Resync {
  constructor(private readonly parts: ResyncParts) {}

  /**
   * Tells each of these subscriptions of one topic what it lost, and continues it from the topic's
   * position. Each gets, without interruption: `lost` from `lostFrom` on; on topics with snapshots,
   * a pushed `subscribed` with the snapshot and the publications since its position; then new
   * publications. Without a snapshot this is done before the method returns. With one, nothing is
   * delivered until the shared snapshot is ready; repeated failure closes the connection with 4003.
   *
   * A waiting subscription still counts for its connection, and gets nothing if it ends first.
   * Calling this for a waiting subscription moves the start of its loss to the lower offset.
   *
   * @param lostFrom - absent if the peer's position is unknown, because the stream was replaced or
   *   an earlier start did not reach it. Then there is no `lost`, and a `subscribed` even without a
   *   snapshot.
   */
  begin(
    topic: Topic,
    rules: TopicRules | undefined,
    subscriptions: readonly Subscription[],
    lostFrom?: LostFrom,
  ): void {
    if (subscriptions.length === 0) return;
    topic.endWindow();
    if (rules?.snapshot !== undefined || rules?.latest !== undefined)
      new FreshStart(this.parts, topic, rules, subscriptions, lostFrom).begin();
    else if (lostFrom === undefined) this.startHere(topic, subscriptions);
    else this.goOn(topic, subscriptions, lostFrom);
  }

  /**
   * Continues each subscription under the topic's new epoch, from its own position and without a
   * loss. [L-5.14]
   */
  continueUnder({ wireName, epoch = '', offset }: Topic, subscriptions: readonly Subscription[]): void {
    const frames = new Map<number, SharedFrame>();
    for (const subscription of subscriptions) {
      const has = subscription.firstUnsent(offset + 1) - 1;
      let frame = frames.get(has);
      if (frame === undefined) {
        const start = { id: undefined, topic: wireName, position: { epoch, offset: has } };
        frame = new SharedFrame(subscribedText({ ...start, recovered: true, snapshot: undefined }));
        frames.set(has, frame);
      }
      if (subscription.index >= 0) subscription.outbox.push(frame);
    }
    if (subscriptions.length > 0) this.parts.observer.outbound('subscribed', subscriptions.length);
  }

  /** A start without a snapshot, at the topic's current position. */
  private startHere(topic: Topic, subscriptions: readonly Subscription[]): void {
    const { wireName, epoch = '', offset } = topic;
    const position = { epoch, offset };
    const frame = new SharedFrame(
      subscribedText({ id: undefined, topic: wireName, position, recovered: false, snapshot: undefined }),
    );
    for (const subscription of subscriptions) {
      subscription.goOnAfter(offset);
      subscription.outbox.push(frame);
    }
    this.told('subscribed', subscriptions.length);
  }

  private goOn(topic: Topic, subscriptions: readonly Subscription[], lostFrom: LostFrom): void {
    const lost = new LostFrames(topic.wireName, topic.offset);
    for (const subscription of subscriptions) {
      const frame = lost.from(lostFrom(subscription));
      subscription.goOnAfter(topic.offset);
      if (frame !== undefined) subscription.outbox.push(frame);
    }
    this.told('lost', lost.count);
  }

  private told(type: string, count: number): void {
    if (count > 0) this.parts.observer.outbound(type, count);
    this.parts.observer.restarted('done', count);
  }
}
