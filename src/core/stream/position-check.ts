import type { Hub } from '../fanout/hub.js';
import type { Topic } from '../fanout/topic.js';
import type { Broker } from '../ports/broker.js';
import type { Position } from '../../protocol/position.js';

/** Topics in one call. */
const topicsPerCall = 1_000;

/** Compares the positions of all topics that somebody reads with the broker's: few calls, however many subscribers. */
export class PositionCheck {
  /** Whether the last one failed. */
  isBehind = false;
  private asking = false;
  private askAgain = false;

  constructor(
    private readonly hub: Hub,
    private readonly broker: Broker,
    /** Told of a topic that is not where the broker is. */
    private readonly onMoved: (topic: Topic) => void,
    private readonly onFailed: (error: unknown) => void,
  ) {}

  /** Asks now, or once more when the answer under way is there: it may not tell about what has happened since. */
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

/** Whether the broker has something that did not come; or has not, any more, what had come before it was asked. */
function hasMoved({ epoch, offset }: Topic, top: Position, offsetWhenAsked: number): boolean {
  return top.epoch !== epoch || top.offset > offset || top.offset < offsetWhenAsked;
}
