// hot path
import type { Connection } from '../connection/connection.js';
import { eventText, lostText } from '../frame/message-text.js';
import { leastMessageBytes, SharedFrame } from '../frame/shared-frame.js';
import type { Backlogs } from '../outbound/backlogs.js';
import type { Flusher } from '../outbound/flusher.js';
import type { DeliveryRules } from '../ports/policy.js';
import type { Broker, Publication } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import { type Audience, Topic, type TopicSurroundings } from './topic.js';
import type { Subscription } from './subscription.js';
import { Windows } from './gathering.js';

export interface HubParts {
  readonly broker: Broker;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly flusher: Flusher;
  readonly backlogs: Backlogs;
  /** Bytes from which a message for many is worth compressing. @default none is */
  readonly compressFromBytes?: number | undefined;
  /** Milliseconds that publications are gathered, for topics that do not say. @default 0 */
  readonly flushMs?: number | undefined;
}

/** The topics in use on this instance. The first one in opens a topic's broker subscription, the last one out closes it. */
export class Hub {
  /** Publications handed to live subscribers, since the start. */
  deliveriesTotal = 0;
  /** Told of a publication that is not the one after the last, where somebody reads the topic. */
  onGap: (topic: Topic, epoch: string, publication: Publication) => void = () => {};
  /** Told of a topic, read by somebody, that the broker says is elsewhere. */
  onAstray: (topic: Topic) => void = () => {};
  /** Told of a subscriber that was too slow, and reads again: publications from an offset on were left out for it. */
  onLeftOut: (topic: Topic, subscription: Subscription, from: number) => void = () => {};
  /** Who is told of the subscribers of a topic that is opened. */
  audienceOf: (name: string) => Audience | undefined = () => undefined;
  private readonly recovered = new WeakMap<Publication, SharedFrame>();
  private readonly topics = new Map<string, Topic>();

  private readonly surroundings: TopicSurroundings;
  private readonly windows: Windows;

  constructor(private readonly parts: HubParts) {
    this.windows = new Windows(parts.clock, parts.flusher);
    this.surroundings = {
      clock: parts.clock,
      windows: this.windows,
      backlogs: parts.backlogs,
      flushMs: parts.flushMs ?? 0,
      merged: (name, publication, from) => this.eventFrame(name, publication, from),
      leftOut: (topic, subscription, from) => this.onLeftOut(topic, subscription, from),
      unused: (topic) => this.close(topic),
    };
  }

  get topicCount(): number {
    return this.topics.size;
  }

  get subscriptionCount(): number {
    let count = 0;
    for (const { subscriptions, paused } of this.topics.values()) count += subscriptions.length + paused.size;
    return count;
  }

  /** Bytes that wait in topics for somebody, and are in no connection's queue. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const topic of this.topics.values()) bytes += topic.queuedBytes;
    return bytes;
  }

  /** Subscriptions that nothing is delivered to at the moment, because they are brought to a fresh start. */
  get pausedCount(): number {
    let count = 0;
    for (const { paused } of this.topics.values()) count += paused.size;
    return count;
  }

  /** Topics that nothing is delivered of at the moment, because something is missing. */
  get healingCount(): number {
    let count = 0;
    for (const { healing } of this.topics.values()) if (healing !== undefined) count += 1;
    return count;
  }

  subscribersOf(name: string): Connection[] {
    const topic = this.topics.get(name);
    if (topic === undefined) return [];
    return [...topic.subscriptions, ...topic.paused].map(({ connection }) => connection);
  }

  /** One publication has come from the broker. */
  publication(name: string, epoch: string, publication: Publication): void {
    const topic = this.topics.get(name);
    if (topic === undefined) return;
    if (topic.isNext(epoch, publication.offset)) this.deliver(topic, epoch, publication);
    else this.outOfTurn(topic, epoch, publication);
  }

  /** One publication goes out: one frame for all. */
  deliver(topic: Topic, epoch: string, publication: Publication): void {
    const frame = this.eventFrame(topic.name, publication);
    const count = topic.deliver(epoch, publication, frame);
    this.deliveriesTotal += count;
    if (count > 0) this.parts.observer.outbound('event', count);
  }

  /** The topic, while somebody here uses it. */
  find(name: string): Topic | undefined {
    return this.topics.get(name);
  }

  /** Topics that somebody reads. */
  topicsRead(): Topic[] {
    return [...this.topics.values()].filter(({ hasReaders }) => hasReaders);
  }

  /** A message for many, compressed for those who take it so where that is worth it. */
  frame(text: string): SharedFrame {
    return new SharedFrame(text, text.length >= (this.parts.compressFromBytes ?? Infinity));
  }

  /** The frame of a publication; a peer that takes none so large gets `lost` in its place. */
  private eventFrame(name: string, publication: Publication, from?: number): SharedFrame {
    const text = eventText(name, publication, from);
    const { compressFromBytes = Infinity } = this.parts;
    if (text.length < leastMessageBytes / 3) return this.frame(text);
    const { offset } = publication;
    const instead = (): string => lostText(name, from ?? offset, offset);
    return new SharedFrame(text, text.length >= compressFromBytes, undefined, instead);
  }

  /** A stored publication's frame: made once, however many recover it, and kept as long as the publication is. */
  frameOf(name: string, publication: Publication): SharedFrame {
    let frame = this.recovered.get(publication);
    if (frame === undefined) {
      frame = this.eventFrame(name, publication);
      this.recovered.set(publication, frame);
    }
    return frame;
  }

  /** The topic, opened if nobody used it yet. It closes again when nobody subscribes to it or holds it. */
  open(name: string, delivery: DeliveryRules = {}): Topic {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      const ready = this.parts.broker.subscribe(name);
      topic = new Topic(name, ready, this.surroundings, delivery);
      topic.audience = this.audienceOf(name);
      this.topics.set(name, topic);
      const opened = topic;
      // A subscription that failed must not stay: whoever comes next tries again.
      ready.catch(() => this.forget(opened));
    }
    return topic;
  }

  /** What topics have gathered goes out now, whatever their windows. */
  endWindows(): void {
    this.windows.endAll();
  }

  private close(topic: Topic): void {
    if (!this.forget(topic)) return;
    this.parts.broker.unsubscribe(topic.name).catch((error: unknown) => {
      this.parts.observer.failed('closing a topic of the broker', error);
    });
  }

  private forget(topic: Topic): boolean {
    topic.healing?.over();
    return this.topics.get(topic.name) === topic && this.topics.delete(topic.name);
  }

  private outOfTurn(topic: Topic, epoch: string, publication: Publication): void {
    if (topic.healing !== undefined) {
      topic.healing.take(epoch, publication);
      return;
    }
    const duplicate = epoch === topic.epoch && publication.offset <= topic.offset;
    if (duplicate) return;
    if (topic.hasReaders) this.onGap(topic, epoch, publication);
    // Who is only about to read it finds a gap when its subscribe is answered.
    else this.deliver(topic, epoch, publication);
  }
}
