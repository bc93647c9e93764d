import type { Topic } from '../fanout/topic.js';
import type { Broker, StreamReading } from '../ports/broker.js';
import type { Observer } from '../ports/observer.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Position } from '../../protocol/position.js';
import { recoveryLimits } from './following.js';
import { SharedRun } from '../fanout/shared-run.js';

/** A reading of a topic that is under way. */
export type ReadingRun = SharedRun<StreamReading>;

/** Reads what is after a position of a topic: once for all who ask for the same at that time. [L-5.15] */
export class Readings {
  constructor(
    private readonly broker: Broker,
    private readonly observer: Observer,
  ) {}

  /** Joins the reading that is under way, or begins one. Whoever joins must leave. */
  join(topic: Topic, since: Position | undefined): ReadingRun {
    const name = since === undefined ? '' : `${String(since.offset)} ${since.epoch}`;
    const running = topic.readings.get(name);
    if (running !== undefined && !running.hold.overflowed) return running.join();
    const hold = topic.hold();
    const over = (): void => {
      if (topic.readings.get(name) === run) topic.readings.delete(name);
    };
    const run: ReadingRun = new SharedRun(hold, this.read(topic, since), () => {
      over();
      topic.release(hold);
    });
    run.result.then(over, over);
    topic.readings.set(name, run);
    return run.join();
  }

  /** The position is read when the broker's subscription is in force: what comes after it is held back. */
  private async read(topic: Topic, since: Position | undefined): Promise<StreamReading> {
    try {
      await topic.ready;
      // Until that is over, nobody knows where the topic is.
      if (topic.healing !== undefined) await topic.healing.tried;
      return await this.broker.read(topic.name, since, recoveryLimits);
    } catch (error) {
      this.observer.failed('reading a topic of the broker', error);
      throw notNow();
    }
  }
}

/** What a subscribe is answered while its topic cannot be read. */
export function notNow(): LiveError {
  return new LiveError('unavailable', 'Subscribing is not possible now', { retryAfterMs: 1_000 });
}
