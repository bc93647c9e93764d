// hot path
import { minMessageBytes } from '../../protocol/fields.js';
import { personalTopic } from '../../protocol/topic-name.js';
import type { Connection } from '../connection/connection.js';
import { eventText, lostText } from '../frame/message-text.js';
import { SharedFrame } from '../frame/shared-frame.js';
import type { Backlogs } from '../outbound/backlogs.js';
import type { Flusher } from '../outbound/flusher.js';
import type { DeliveryRules } from '../ports/policy.js';
import type { Broker, Publication } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import { type SubscriberListener, Topic, type TopicSurroundings } from './topic.js';
import type { Subscription } from './subscription.js';
import { Windows } from './gathering.js';

/** What the hub reports to the rest of the core, and asks of it. */
export interface HubListener {
  /** A publication is not the next one of a topic with readers. */
  gap(topic: Topic, epoch: string, publication: Publication): void;
  /** The position of a topic with readers differs from the broker's. */
  desync(topic: Topic): void;
  /** A slow subscriber reads again. Publications from an offset on were dropped for it. */
  leftOut(topic: Topic, subscription: Subscription, from: number): void;
  /** Returns the listener for the subscribers of a topic that is opened. */
  audienceOf(name: string): SubscriberListener | undefined;
}

export interface HubParts {
  readonly listener: HubListener;
  readonly broker: Broker;
  readonly observer: Observer;
  readonly clock: Clock;
  readonly flusher: Flusher;
  readonly backlogs: Backlogs;
  /** Minimum size of a message to compress, in bytes. @default no compression */
  readonly compressFromBytes?: number | undefined;
  /** Milliseconds to gather publications of topics that do not set it. @default 0 */
  readonly flushMs?: number | undefined;
}

/**
 * The topics in use on this instance. The first user opens a topic's broker subscription, and the
 * last one closes it.
 */
export class Hub {
  /** Publications handed to live subscribers since the start. */
  deliveriesTotal = 0;
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
      leftOut: (topic, subscription, from) => parts.listener.leftOut(topic, subscription, from),
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

  /** Bytes that wait in topics, outside of any connection's queue. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const topic of this.topics.values()) bytes += topic.queuedBytes;
    return bytes;
  }

  /** Subscriptions that get nothing until their fresh start is complete. */
  get pausedCount(): number {
    let count = 0;
    for (const { paused } of this.topics.values()) count += paused.size;
    return count;
  }

  /** Topics that deliver nothing until missing publications are repaired. */
  get healingCount(): number {
    let count = 0;
    for (const { healing } of this.topics.values()) if (healing !== undefined) count += 1;
    return count;
  }

  subscribersOf(name: string): Connection[] {
    // Each user has a topic of its own under this name.
    const topics = name === personalTopic ? this.topicsNamed(name) : [this.topics.get(name)];
    return topics
      .flatMap((topic) => (topic === undefined ? [] : [...topic.subscriptions, ...topic.paused]))
      .map(({ connection }) => connection);
  }

  private topicsNamed(wireName: string): Topic[] {
    return [...this.topics.values()].filter((topic) => topic.wireName === wireName);
  }

  /** Reports that the topic's position differs from what its readers have. */
  desync(topic: Topic): void {
    this.parts.listener.desync(topic);
  }

  /** Handles a publication from the broker. */
  publication(name: string, epoch: string, publication: Publication): void {
    const topic = this.topics.get(name);
    if (topic === undefined) return;
    if (topic.isNext(epoch, publication.offset)) this.deliver(topic, epoch, publication);
    else this.outOfTurn(topic, epoch, publication);
  }

  /** Delivers a publication with one frame for all subscribers. */
  deliver(topic: Topic, epoch: string, publication: Publication): void {
    const frame = this.eventFrame(topic.wireName, publication);
    const count = topic.deliver(epoch, publication, frame);
    this.deliveriesTotal += count;
    if (count > 0) this.parts.observer.outbound('event', count);
  }

  /** Returns the topic if it is in use on this instance. */
  find(name: string): Topic | undefined {
    return this.topics.get(name);
  }

  /** Topics with readers. */
  topicsRead(): Topic[] {
    return [...this.topics.values()].filter(({ hasReaders }) => hasReaders);
  }

  /** Creates a frame for many peers, compressed for those that accept it if that is worthwhile. */
  frame(text: string): SharedFrame {
    return new SharedFrame(text, text.length >= (this.parts.compressFromBytes ?? Infinity));
  }

  /**
   * Creates the frame of a publication. A peer with a smaller message limit gets `lost` instead.
   */
  private eventFrame(name: string, publication: Publication, from?: number): SharedFrame {
    const text = eventText(name, publication, from);
    const { compressFromBytes = Infinity } = this.parts;
    if (text.length < minMessageBytes / 3) return this.frame(text);
    const { offset } = publication;
    const instead = (): string => lostText(name, from ?? offset, offset);
    return new SharedFrame(text, text.length >= compressFromBytes, undefined, instead);
  }

  /** Frame of a stored publication, created once and kept as long as the publication. */
  frameOf(name: string, publication: Publication): SharedFrame {
    let frame = this.recovered.get(publication);
    if (frame === undefined) {
      frame = this.eventFrame(name, publication);
      this.recovered.set(publication, frame);
    }
    return frame;
  }

  /**
   * Returns the topic and opens it if it is not in use. It closes when it has no subscriptions and
   * no holds.
   */
  open(name: string, delivery: DeliveryRules = {}): Topic {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      const ready = this.parts.broker.subscribe(name);
      topic = new Topic(name, ready, this.surroundings, delivery);
      topic.audience = this.parts.listener.audienceOf(name);
      this.topics.set(name, topic);
      const opened = topic;
      // Forget a failed subscription, so that the next user tries again.
      ready.catch(() => this.forget(opened));
    }
    return topic;
  }

  /** Sends all gathered publications now, whatever their windows. */
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
    if (topic.hasReaders) this.parts.listener.gap(topic, epoch, publication);
    // A subscriber that is only joining detects the gap when its subscribe is answered.
    else this.deliver(topic, epoch, publication);
  }
}
