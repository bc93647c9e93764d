import type { Cluster } from '../cluster/cluster.js';
import type { Attendance } from '../cluster/signal.js';
import type { SubscriberListener } from '../fanout/topic.js';
import type { Cancel } from '../ports/clock.js';
import type { LiveLimits } from '../ports/limits.js';
import type { Policy } from '../ports/policy.js';
import { KeptTopic, type KeptTopicParts } from './kept-topic.js';
import { OccupancyTable } from './occupancy-table.js';
import { Poll, type PollParts } from './poll.js';

/**
 * Milliseconds between the first subscriber here and the hooks, so that two instances whose first
 * subscribers come at the same time hear of each other. More than twice the delay of a change and
 * of its signal.
 */
export const agreementMs = 400;

export interface OccupancyParts extends KeptTopicParts, PollParts {
  readonly limits: LiveLimits;
  readonly policy: Policy;
  readonly cluster: Cluster;
  /** Set if there are no other instances. */
  readonly solitary: boolean;
  /** Tells the other instances of a change here. */
  readonly share: (change: Attendance) => void;
}

/**
 * Knows which topics have subscribers on any instance, and has one instance run the hooks and the
 * poll of each: one of those with subscribers, until it stops or the topic has none. If it dies,
 * another one starts.
 */
export class Occupancy {
  readonly table = new OccupancyTable((topic) => this.consider(topic));
  private readonly counts = new Map<string, number>();
  /** Topics whose first subscriber here came a short time ago. */
  private readonly waiting = new Map<string, Cancel>();
  private readonly kept = new Map<string, KeptTopic>();
  private closed = false;

  constructor(private readonly parts: OccupancyParts) {
    parts.cluster.instances.watch({
      appeared() {},
      greeted() {},
      gone: ({ key }) => this.table.replace(key, []),
    });
  }

  /** Topics whose hooks run here. */
  get keptCount(): number {
    return this.kept.size;
  }

  /** Listener for joins and leaves of a topic here, or `undefined` for one that need not know. */
  audienceOf(topic: string): SubscriberListener | undefined {
    if (this.parts.policy.rulesFor(topic)?.occupancy === undefined) return undefined;
    return { joined: () => this.count(topic, 1), left: () => this.count(topic, -1) };
  }

  /** Ends all topics kept here. Resolves when their hooks have run. Never rejects. */
  async close(): Promise<void> {
    this.closed = true;
    for (const cancel of this.waiting.values()) cancel();
    this.waiting.clear();
    this.counts.clear();
    const ends = [...this.kept.values()].map((topic) => topic.end());
    this.kept.clear();
    for (const [topic] of this.table.of(this.self)) this.put(topic, { reads: false, keeps: false });
    await Promise.all(ends);
  }

  private get self(): string {
    return this.parts.cluster.self.key;
  }

  private count(topic: string, change: number): void {
    if (this.closed) return;
    const before = this.counts.get(topic) ?? 0;
    const now = before + change;
    if (now > 0) this.counts.set(topic, now);
    else this.counts.delete(topic);
    if (before > 0 === now > 0) return;
    if (now > 0 && !this.isAlone) this.wait(topic);
    this.put(topic, { reads: now > 0, keeps: this.kept.has(topic) });
  }

  /** Whether nobody else could run the hooks. */
  private get isAlone(): boolean {
    const { solitary, cluster } = this.parts;
    return solitary || (cluster.instances.size === 0 && cluster.instances.isSettled);
  }

  private wait(topic: string): void {
    this.waiting.get(topic)?.();
    const cancel = this.parts.clock.after(agreementMs, () => {
      this.waiting.delete(topic);
      this.consider(topic);
    });
    this.waiting.set(topic, cancel);
  }

  private put(topic: string, part: { readonly reads: boolean; readonly keeps: boolean }): void {
    this.table.put(this.self, topic, part);
    this.parts.share(this.table.entry(this.self, topic));
  }

  /** Decides again who keeps the topic. */
  private consider(topic: string): void {
    if (this.closed) return;
    const mine = this.kept.get(topic);
    if (mine === undefined) {
      if (this.isMine(topic)) this.keep(topic);
    } else if (firstOf(topic, this.table.some(topic, 'keeps')) !== this.self) this.release(topic);
    else if (this.table.isRead(topic)) mine.read();
    else mine.unread();
  }

  /** Whether this instance is the one to keep a topic that nobody keeps. */
  private isMine(topic: string): boolean {
    if (this.waiting.has(topic) || this.table.some(topic, 'keeps').length > 0) return false;
    return firstOf(topic, this.table.some(topic, 'reads')) === this.self;
  }

  private keep(topic: string): void {
    const rules = this.parts.policy.rulesFor(topic)?.occupancy;
    if (rules === undefined) return;
    const poll = rules.poll && new Poll(topic, rules.poll, this.parts);
    this.kept.set(topic, new KeptTopic(topic, rules, this.parts, poll, () => this.release(topic)));
    this.put(topic, { reads: this.counts.has(topic), keeps: true });
  }

  private release(topic: string): void {
    const kept = this.kept.get(topic);
    this.kept.delete(topic);
    void kept?.end();
    this.put(topic, { reads: this.counts.has(topic), keeps: false });
  }
}

/** The instance that all choose who know the same ones; another one for each topic. */
function firstOf(topic: string, sources: readonly string[]): string | undefined {
  let first: string | undefined;
  let least = Infinity;
  for (const source of sources) {
    const rank = hashOf(topic + source);
    if (rank > least || (rank === least && source > (first ?? ''))) continue;
    least = rank;
    first = source;
  }
  return first;
}

/** FNV-1a, 32 bits (RFC 9923). */
function hashOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash >>> 0;
}
