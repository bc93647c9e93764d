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

/** Closes the gap in a topic with the broker's history, or reports the publications lost. */
export class Repair {
  private readonly doubts: LateArrivals;
  /** Number of losses reported to subscribers. */
  private losses = 0;
  private stopped = false;

  constructor(private readonly parts: RepairParts) {
    this.doubts = new LateArrivals(parts.clock, (topic, upTo) => this.giveUp(topic, upTo));
  }

  stop(): void {
    this.stopped = true;
    this.doubts.stop();
  }

  /**
   * Delivers or gives up the missing range as far as this read allows. Returns `false` if another
   * read is needed.
   */
  close(healing: HealingTopic, { top, missed }: StreamReading): boolean {
    const { topic } = healing;
    if (healing.hasMoved) return false;
    const rules = this.parts.policy.rulesFor(topic.name);
    const { losses } = this;
    const before = topic.offset;
    const ours = healing.takeOut(top);
    if (missed !== undefined && top.epoch !== topic.epoch) this.goOnUnder(topic, top.epoch, rules);
    const isSame = top.epoch === topic.epoch && top.offset >= topic.offset;
    // From a subscriber's position on, the history may be complete.
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
      this.parts.observer.healed('healed', topic.wireName);
    if (!isMissing) return !healing.isBehind;
    if (rules?.history === undefined) {
      if (!this.stopped) this.doubts.add(topic, top);
      return !healing.isBehind;
    }
    // After these deliveries the rest may be within reach of the history.
    if (topic.offset > before) return false;
    this.lose(topic, top.offset, rules);
    return !healing.isBehind;
  }

  /**
   * Delivers what follows, in order. Gaps up to `lostUpTo` are reported lost. Returns the
   * publications behind another gap.
   *
   * @param lostUpTo - publications missing up to here will not arrive
   */
  private deliverInTurn(
    topic: Topic,
    publications: readonly Publication[],
    lostUpTo: number,
    rules: TopicRules | undefined,
  ): readonly Publication[] {
    const { epoch = '' } = topic;
    // A history that does not reach the topic's old position may reach its new one.
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

  /**
   * The engine may have gone back, but not behind what was delivered. The stream continues under
   * another epoch. [L-5.14]
   */
  private goOnUnder(topic: Topic, epoch: string, rules: TopicRules | undefined): void {
    topic.continueUnder(epoch);
    // Only the topic's position was compared with the engine. Some subscriptions may be ahead of
    // it.
    const compared = topic.subscriptions.filter(({ after }) => after <= topic.offset);
    const further = topic.subscriptions.filter(({ after }) => after > topic.offset);
    this.parts.observer.healed('continued', topic.wireName);
    this.parts.resync.continueUnder(topic, compared);
    this.parts.resync.begin(topic, rules, further);
  }

  /** The stream was replaced after something was delivered. Its subscribers start over. [L-5.7] */
  private beginAnew(
    topic: Topic,
    top: Position,
    ours: readonly Publication[],
    rules: TopicRules | undefined,
  ): void {
    let { offset } = top;
    // Publications that already arrived need not be skipped.
    const inHand = new Set(ours.map((publication) => publication.offset));
    while (inHand.has(offset)) offset -= 1;
    topic.startOver(top.epoch, offset);
    this.losses += 1;
    this.parts.observer.healed('new-epoch', topic.wireName);
    this.parts.resync.begin(topic, rules, [...topic.subscriptions]);
  }

  /**
   * Everything from the topic's position up to an offset is lost. Notifies the subscribers. [L-5.8]
   */
  private lose(topic: Topic, to: number, rules: TopicRules | undefined): void {
    const from = topic.offset + 1;
    topic.endWindow();
    topic.offset = to;
    topic.forgetRuns();
    this.losses += 1;
    this.parts.observer.healed('lost', topic.wireName);
    this.parts.resync.begin(
      topic,
      rules,
      topic.subscriptions.filter(({ after }) => after < to),
      (subscription) => subscription.firstUnsent(from),
    );
  }

  /** A publication that no history keeps has not arrived in time. */
  private giveUp(topic: Topic, { epoch, offset }: Position): void {
    if (topic.epoch !== epoch || topic.offset >= offset || topic.healing !== undefined) return;
    if (this.parts.hub.find(topic.name) === topic)
      this.lose(topic, offset, this.parts.policy.rulesFor(topic.name));
  }
}

/** Returns the lowest offset after the topic's that a subscriber already has, or `most`. */
function nextAfter(topic: Topic, most: number): number {
  let next = most;
  for (const { after } of topic.subscriptions) if (after > topic.offset && after < next) next = after;
  return next;
}
