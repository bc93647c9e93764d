import { type HoldBuffer, holdLimits, SharedRun } from '../fanout/hold-buffers.js';
import type { Hub } from '../fanout/hub.js';
import type { Topic } from '../fanout/topic.js';
import type { SharedFrame } from '../frame/shared-frame.js';
import type { Broker, Publication, RecoveryLimits, StreamReading } from '../ports/broker.js';
import type { Observer } from '../ports/observer.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Position } from '../../protocol/position.js';

/** Maximum size of one recovery. A larger one counts as unrecoverable. [L-5.4] */
export const recoveryLimits: RecoveryLimits = { count: 300, bytes: 1_048_576 };

/** Maximum read to repair a topic: a full recovery, plus what may have arrived during the read. */
export const healingLimits: RecoveryLimits = {
  count: recoveryLimits.count + holdLimits.count,
  bytes: recoveryLimits.bytes + holdLimits.bytes,
};

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
    const running = topic.readings?.get(name);
    if (running !== undefined && !running.hold.overflowed) return running.join();
    const hold = topic.hold();
    const over = (): void => {
      if (topic.readings?.get(name) !== run) return;
      topic.readings.delete(name);
      if (topic.readings.size === 0) topic.readings = undefined;
    };
    const run: ReadingRun = new SharedRun(hold, this.read(topic, since), () => {
      over();
      topic.release(hold);
    });
    run.result.then(over, over);
    (topic.readings ??= new Map()).set(name, run);
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

/** Where a subscriber starts. */
export interface Start {
  readonly position: Position;
  /** Publications between the position and the start of the hold. */
  readonly missed: readonly Publication[];
}

/** What is sent between a start and the first live publication. */
export interface Following {
  readonly frames: readonly SharedFrame[];
  /** Last offset covered by the frames. */
  readonly offset: number;
}

/**
 * Returns the missed and the held publications since a start, if they lead without a gap to the
 * topic's position. Returns `undefined` if too much was held, a publication is missing, or the
 * stream was replaced.
 */
export function followingOf(
  hub: Hub,
  topic: Topic,
  { position, missed }: Start,
  hold: HoldBuffer,
): Following | undefined {
  const { epoch } = position;
  if (hold.overflowed || !hold.follows(epoch)) return undefined;
  const frames: SharedFrame[] = [];
  let { offset } = position;
  for (const publication of missed) {
    frames.push(hub.frameOf(topic.wireName, publication));
    ({ offset } = publication);
  }
  for (const held of hold.publications) {
    if (held.offset <= offset) continue;
    if (held.offset !== offset + 1) return undefined;
    frames.push(held.frame);
    ({ offset } = held);
  }
  if (topic.continues(epoch, offset)) return { frames, offset };
  // A publication was lost here without notice.
  hub.desync(topic);
  return undefined;
}
