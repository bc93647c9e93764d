import type { Hub } from '../fanout/hub.js';
import type { Topic } from '../fanout/topic.js';
import type { Broker } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';

/** Topics per call. */
const topicsPerCall = 1_000;

/**
 * Compares the positions of all topics with readers to the broker's. Few calls, however many
 * subscribers.
 */
export class PositionCheck {
  /** Whether the last comparison failed. */
  isBehind = false;
  private asking = false;
  private askAgain = false;

  constructor(
    private readonly hub: Hub,
    private readonly broker: Broker,
    /** Called for a topic whose position differs from the broker's. */
    private readonly onMoved: (topic: Topic) => void,
    private readonly onFailed: (error: unknown) => void,
  ) {}

  /**
   * Compares now. If a comparison is running, it repeats afterwards, because it may miss recent
   * changes.
   */
  ask(): void {
    this.askAgain = true;
    if (!this.asking) void this.run();
  }

  private async run(): Promise<void> {
    this.asking = true;
    try {
      while (this.askAgain) {
        this.askAgain = false;
        await this.compareAll();
      }
      this.isBehind = false;
    } catch (error) {
      this.askAgain = false;
      this.isBehind = true;
      this.onFailed(error);
    } finally {
      this.asking = false;
    }
  }

  private async compareAll(): Promise<void> {
    const topics = this.hub.topicsRead().filter(({ healing }) => healing === undefined);
    for (let start = 0; start < topics.length; start += topicsPerCall)
      await this.compare(topics.slice(start, start + topicsPerCall));
  }

  private async compare(topics: readonly Topic[]): Promise<void> {
    const asked = topics.map(({ offset }) => offset);
    const tops = await this.broker.tops(topics.map(({ name }) => name));
    for (const [place, topic] of topics.entries()) {
      const top = tops.get(topic.name);
      if (top === undefined || this.hub.find(topic.name) !== topic || topic.healing !== undefined) continue;
      if (hasMoved(topic, top, asked[place] ?? 0)) this.onMoved(topic);
    }
  }
}

/**
 * Whether the broker has publications that did not arrive, or lost some that arrived before the
 * call.
 */
function hasMoved({ epoch, offset }: Topic, top: Position, offsetWhenAsked: number): boolean {
  return top.epoch !== epoch || top.offset > offset || top.offset < offsetWhenAsked;
}
