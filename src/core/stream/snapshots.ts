import type { Topic } from '../fanout/topic.js';
import type { Broker } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import { LiveError } from '../../protocol/live.error.js';
import { type Snapshot, SnapshotRun } from './snapshot-run.js';

/** Takes snapshots of topics: one at a time for each topic, shared by everybody who comes meanwhile. [L-6.2] */
export class Snapshots {
  constructor(
    private readonly broker: Broker,
    private readonly clock: Clock,
    private readonly observer: Observer,
    private readonly timeoutMs: number,
  ) {}

  /** Joins the run that is under way, or starts one. Whoever joins must leave. */
  join(topic: Topic, provider: () => unknown): SnapshotRun {
    const running = topic.snapshotRun;
    if (running !== undefined && !running.hold.overflowed) return running.join();
    const hold = topic.hold();
    const over = (): void => {
      if (topic.snapshotRun === run) topic.snapshotRun = undefined;
    };
    const run = new SnapshotRun(hold, this.take(topic.name, provider), () => {
      over();
      topic.release(hold);
    });
    run.result.then(over, over);
    topic.snapshotRun = run;
    return run.join();
  }

  /** The position first: what the provider does not see yet follows as events. */
  private async take(topic: string, provider: () => unknown): Promise<Snapshot> {
    try {
      const { top } = await this.broker.read(topic, undefined, { count: 0, bytes: 0 });
      const state = await this.inTime(provider);
      return { position: top, text: JSON.stringify(state) as string | undefined };
    } catch (error) {
      this.observer.failed('making a snapshot', error);
      throw new LiveError('unavailable', 'The snapshot of this topic is not available now', {
        retryAfterMs: 1_000,
      });
    }
  }

  private async inTime(provider: () => unknown): Promise<unknown> {
    let stop = (): void => {};
    const late = new Promise<never>((_resolve, reject) => {
      const error = new Error(`The snapshot did not come within ${String(this.timeoutMs)} ms`);
      stop = this.clock.after(this.timeoutMs, () => reject(error));
    });
    try {
      return await Promise.race([provider(), late]);
    } finally {
      stop();
    }
  }
}
