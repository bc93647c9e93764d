import type { Hub } from '../fanout/hub.js';
import type { Topic } from '../fanout/topic.js';
import type { Publication, StreamReading } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { Policy, TopicRules } from '../ports/policy.js';
import type { Position } from '../../protocol/position.js';
import { LateArrivals } from './late-arrivals.js';
import type { HealingTopic } from './healing-topic.js';
import type { Resync } from './resync.js';

export interface RepairParts {
  readonly hub: Hub;
  readonly policy: Policy;
  readonly resync: Resync;
  readonly clock: Clock;
  readonly observer: Observer;
}

/** Closes the gap in a topic with what the broker still has, or tells the subscribers that it has not. */
export class Repair {
  private readonly doubts: LateArrivals;
  /** How often subscribers were told that something is lost. */
  private losses = 0;
  private stopped = false;

  constructor(private readonly parts: RepairParts) {
    this.doubts = new LateArrivals(parts.clock, (topic, upTo) => this.giveUp(topic, upTo));
  }

  stop(): void {
    this.stopped = true;
    this.doubts.stop();
  }

  /** Delivers or gives up what is missing, as far as the reading tells; `false` when another one has to tell the rest. */
  close(healing: HealingTopic, { top, missed }: StreamReading): boolean {
    const { topic } = healing;
    if (healing.hasMoved) return false;
    const rules = this.parts.policy.rulesFor(topic.name);
    const { losses } = this;
    const before = topic.offset;
    const ours = healing.takeOut(top);
    if (missed !== undefined && top.epoch !== topic.epoch) this.goOnUnder(topic, top.epoch, rules);
    const isSame = top.epoch === topic.epoch && top.offset >= topic.offset;
    // From where somebody is already, the history may have everything.
    const reach = nextAfter(topic, top.offset);
    if (isSame && missed === undefined && rules?.history !== undefined && reach < top.offset) {
      this.lose(topic, reach, rules);
      healing.putBack(ours.map((publication) => ({ epoch: top.epoch, publication })));
      return false;
    }
    if (!isSame) this.beginAnew(topic, top, ours, rules);
    else for (const publication of missed ?? []) this.deliver(topic, top.epoch, publication);
    const rest = this.deliverInTurn(topic, ours, missed === undefined ? top.offset : 0, rules);
    healing.putBack(rest.map((publication) => ({ epoch: top.epoch, publication })));
    const isMissing = topic.offset < top.offset;
    if (topic.offset > before && !isMissing && losses === this.losses)
      this.parts.observer.healed('healed', topic.name);
    if (!isMissing) return !healing.isBehind;
    if (rules?.history === undefined) {
      if (!this.stopped) this.doubts.add(topic, top);
      return !healing.isBehind;
    }
    // What has been delivered meanwhile may have brought the rest back into the history's reach.
    if (topic.offset > before) return false;
    this.lose(topic, top.offset, rules);
    return !healing.isBehind;
  }

  /**
   * Delivers what follows, in order. What is missing between is lost where the reading says so; what is behind another gap
   * is given back.
   *
   * @param lostUpTo what is missing up to here will not come
   */
  private deliverInTurn(
    topic: Topic,
    publications: readonly Publication[],
    lostUpTo: number,
    rules: TopicRules | undefined,
  ): readonly Publication[] {
    const { epoch = '' } = topic;
    // A history that does not reach back to where the topic was may reach back to where it is by then.
    const isKept = rules?.history !== undefined;
    let hasGoneOn = false;
    for (const [place, publication] of publications.entries()) {
      const { offset } = publication;
      if (offset <= topic.offset) continue;
      if (offset > topic.offset + 1) {
        if (offset > lostUpTo + 1 || (hasGoneOn && isKept)) return publications.slice(place);
        this.lose(topic, offset - 1, rules);
      }
      this.deliver(topic, epoch, publication);
      hasGoneOn = true;
    }
    return [];
  }

  private deliver(topic: Topic, epoch: string, publication: Publication): void {
    this.parts.hub.deliver(topic, epoch, publication);
  }

  /** The engine may have gone back, but not behind what was delivered: the stream goes on under another epoch. [L-5.14] */
  private goOnUnder(topic: Topic, epoch: string, rules: TopicRules | undefined): void {
    topic.continueUnder(epoch);
    // Only what the topic has was compared with the engine. A subscription may have read further than that.
    const compared = topic.subscriptions.filter(({ after }) => after <= topic.offset);
    const further = topic.subscriptions.filter(({ after }) => after > topic.offset);
    this.parts.observer.healed('continued', topic.name);
    this.parts.resync.continueUnder(topic, compared);
    this.parts.resync.begin(topic, rules, further);
  }

  /** The stream is another one than that of which something was delivered: its subscribers start anew. [L-5.7] */
  private beginAnew(
    topic: Topic,
    top: Position,
    ours: readonly Publication[],
    rules: TopicRules | undefined,
  ): void {
    let { offset } = top;
    // What is in our hands need not be passed over.
    const inHand = new Set(ours.map((publication) => publication.offset));
    while (inHand.has(offset)) offset -= 1;
    topic.startOver(top.epoch, offset);
    this.losses += 1;
    this.parts.observer.healed('new-epoch', topic.name);
    this.parts.resync.begin(topic, rules, [...topic.subscriptions]);
  }

  /** Everything after the topic's position and up to an offset will not come: its subscribers are told. [L-5.8] */
  private lose(topic: Topic, to: number, rules: TopicRules | undefined): void {
    const from = topic.offset + 1;
    topic.endWindow();
    topic.offset = to;
    topic.forgetRuns();
    this.losses += 1;
    this.parts.observer.healed('lost', topic.name);
    this.parts.resync.begin(
      topic,
      rules,
      topic.subscriptions.filter(({ after }) => after < to),
      (subscription) => subscription.firstUnsent(from),
    );
  }

  /** What nothing keeps has not come in time. */
  private giveUp(topic: Topic, { epoch, offset }: Position): void {
    if (topic.epoch !== epoch || topic.offset >= offset || topic.healing !== undefined) return;
    if (this.parts.hub.find(topic.name) === topic)
      this.lose(topic, offset, this.parts.policy.rulesFor(topic.name));
  }
}

/** The lowest offset behind the topic's that somebody has already, or `most`. */
function nextAfter(topic: Topic, most: number): number {
  let next = most;
  for (const { after } of topic.subscriptions) if (after > topic.offset && after < next) next = after;
  return next;
}
