import type { Subscription } from '../fanout/subscription.js';
import type { Topic } from '../fanout/topic.js';
import { subscribedText } from '../frame/message-text.js';
import { SharedFrame } from '../frame/shared-frame.js';
import type { TopicRules } from '../ports/policy.js';
import { FreshStart, type LostFrom, type ResyncParts, LostFrames } from './fresh-start.js';

/** Brings live subscriptions to a fresh start, because what they have cannot be continued. */
export class Resync {
  constructor(private readonly parts: ResyncParts) {}

  /**
   * Each of these subscriptions of one topic, which may be one or all of them, is told what it lost and goes on from where
   * the topic is. What it gets, in one piece: `lost` from `lostFrom` on; where the topic has a snapshot, a pushed
   * `subscribed` with it and what has come since its position; then what is published from now on. Without a snapshot that
   * is done before this returns; else nothing is delivered to it until the snapshot is there, which all who wait for it
   * share, and a snapshot that fails again and again closes the connection with 4003.
   *
   * A subscription that waits is one of its connection all the same, and one that ends meanwhile gets nothing. To begin
   * again with one that waits already makes its loss begin at the lower offset.
   *
   * @param lostFrom absent where it is not known what the peer has, because the stream is another one or an earlier start
   * did not reach it: then there is no `lost`, and a `subscribed` also where the topic has no snapshot
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

  /** Each subscription goes on under the topic's new epoch from what it has, and misses nothing. [L-5.14] */
  continueUnder({ name, epoch = '', offset }: Topic, subscriptions: readonly Subscription[]): void {
    const frames = new Map<number, SharedFrame>();
    for (const subscription of subscriptions) {
      const has = subscription.firstUnsent(offset + 1) - 1;
      let frame = frames.get(has);
      if (frame === undefined) {
        const start = { id: undefined, topic: name, position: { epoch, offset: has } };
        frame = new SharedFrame(subscribedText({ ...start, recovered: true, snapshot: undefined }));
        frames.set(has, frame);
      }
      if (subscription.index >= 0) subscription.outbox.push(frame);
    }
    if (subscriptions.length > 0) this.parts.observer.outbound('subscribed', subscriptions.length);
  }

  /** A start without a snapshot, where the topic is now. */
  private startHere(topic: Topic, subscriptions: readonly Subscription[]): void {
    const { name, epoch = '', offset } = topic;
    const position = { epoch, offset };
    const frame = new SharedFrame(
      subscribedText({ id: undefined, topic: name, position, recovered: false, snapshot: undefined }),
    );
    for (const subscription of subscriptions) {
      subscription.goOnAfter(offset);
      subscription.outbox.push(frame);
    }
    this.told('subscribed', subscriptions.length);
  }

  private goOn(topic: Topic, subscriptions: readonly Subscription[], lostFrom: LostFrom): void {
    const lost = new LostFrames(topic.name, topic.offset);
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
