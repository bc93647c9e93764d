// hot path
import type { Connection } from '../connection/connection.js';
import { eventText } from '../frame/message-text.js';
import { SharedFrame } from '../frame/shared-frame.js';
import type { Broker, Publication } from '../ports/broker.js';
import type { Observer } from '../ports/observer.js';
import { Topic } from './topic.js';

/** The topics in use on this instance. The first one in opens a topic's broker subscription, the last one out closes it. */
export class Hub {
  /** Publications handed to live subscribers, since the start. */
  deliveriesTotal = 0;
  /** Told of a publication that is not the one after the last, where somebody reads the topic. */
  onGap: (topic: Topic, epoch: string, publication: Publication) => void = () => {};
  /** Told of a topic, read by somebody, that the broker says is elsewhere. */
  onAstray: (topic: Topic) => void = () => {};
  private readonly recovered = new WeakMap<Publication, SharedFrame>();
  private readonly topics = new Map<string, Topic>();

  constructor(
    private readonly broker: Broker,
    private readonly observer: Observer,
    /** Bytes from which a publication is worth compressing. */
    private readonly compressFromBytes = Infinity,
  ) {}

  get topicCount(): number {
    return this.topics.size;
  }

  get subscriptionCount(): number {
    let count = 0;
    for (const { subscriptions, paused } of this.topics.values()) count += subscriptions.length + paused.size;
    return count;
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
    const frame = this.frame(eventText(topic.name, publication));
    const count = topic.deliver(epoch, publication.offset, frame);
    this.deliveriesTotal += count;
    if (count > 0) this.observer.outbound('event', count);
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
    return new SharedFrame(text, text.length >= this.compressFromBytes);
  }

  /** A stored publication's frame: made once, however many recover it, and kept as long as the publication is. */
  frameOf(name: string, publication: Publication): SharedFrame {
    let frame = this.recovered.get(publication);
    if (frame === undefined) {
      frame = this.frame(eventText(name, publication));
      this.recovered.set(publication, frame);
    }
    return frame;
  }

  /** The topic, opened if nobody used it yet. It closes again when nobody subscribes to it or holds it. */
  open(name: string): Topic {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      const ready = this.broker.subscribe(name);
      topic = new Topic(name, ready, this.close);
      this.topics.set(name, topic);
      const opened = topic;
      // A subscription that failed must not stay: whoever comes next tries again.
      ready.catch(() => this.forget(opened));
    }
    return topic;
  }

  private readonly close = (topic: Topic): void => {
    if (!this.forget(topic)) return;
    this.broker.unsubscribe(topic.name).catch((error: unknown) => {
      this.observer.failed('closing a topic of the broker', error);
    });
  };

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
