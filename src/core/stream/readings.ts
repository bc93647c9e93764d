import type { Topic } from '../fanout/topic.js';
import type { Broker, StreamReading } from '../ports/broker.js';
import type { Observer } from '../ports/observer.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Position } from '../../protocol/position.js';
import { recoveryLimits } from './following.js';
import { SharedRun } from '../fanout/hold-buffers.js';

/** A read of a topic in progress. */
export type ReadingRun = SharedRun<StreamReading>;

/**
 * Reads what follows a position of a topic, once for all subscribes that need it at the same time.
 * [L-5.15]
 */
export class Readings {
  constructor(
    private readonly broker: Broker,
    private readonly observer: Observer,
  ) {}

  /** Joins the current read or starts one. Every joiner must leave. */
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

  /** Reads once the broker's subscription is active. Everything after the position is held. */
  private async read(topic: Topic, since: Position | undefined): Promise<StreamReading> {
    try {
      await topic.ready;
      // During a repair the position of the topic is unknown.
      if (topic.healing !== undefined) await topic.healing.tried;
      return await this.broker.read(topic.name, since, recoveryLimits);
    } catch (error) {
      this.observer.failed('reading a topic of the broker', error);
      throw notNow();
    }
  }
}

/** Error of a subscribe while its topic cannot be read. */
export function notNow(): LiveError {
  return new LiveError('unavailable', 'Subscribing is not possible now', { retryAfterMs: 1_000 });
}
