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
    for (const topic of this.topics.values()) count += topic.subscriptions.length;
    return count;
  }

  subscribersOf(name: string): Connection[] {
    return this.topics.get(name)?.subscriptions.map(({ connection }) => connection) ?? [];
  }

  /** One publication goes out: one frame for all. */
  publication(name: string, epoch: string, publication: Publication): void {
    const topic = this.topics.get(name);
    if (topic === undefined) return;
    const frame = this.frame(eventText(name, publication));
    const count = topic.deliver(epoch, publication.offset, frame);
    this.deliveriesTotal += count;
    if (count > 0) this.observer.outbound('event', count);
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

  private frame(text: string): SharedFrame {
    return new SharedFrame(text, text.length >= this.compressFromBytes);
  }

  private readonly close = (topic: Topic): void => {
    if (!this.forget(topic)) return;
    this.broker.unsubscribe(topic.name).catch((error: unknown) => {
      this.observer.failed('closing a topic of the broker', error);
    });
  };

  private forget(topic: Topic): boolean {
    return this.topics.get(topic.name) === topic && this.topics.delete(topic.name);
  }
}
