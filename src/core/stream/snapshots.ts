import { Buffer } from 'node:buffer';
import type { Wanted } from '../connection/membership.js';
import type { Topic } from '../fanout/topic.js';
import { pageText } from '../frame/message-text.js';
import { maxPageBytes, Pages, type SnapshotPages } from '../frame/pages.js';
import type { LiveLimits } from '../ports/limits.js';
import type { Broker, LatestRule } from '../ports/broker.js';
import type { Clock } from '../ports/clock.js';
import { inTime } from '../ports/deadline.js';
import type { Observer } from '../ports/observer.js';
import type { TopicRules } from '../ports/policy.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Position } from '../../protocol/position.js';
import { recoveryLimits } from './following.js';
import { SharedRun } from '../fanout/hold-buffers.js';
import type { Snapshot, SnapshotRun } from '../fanout/snapshot-run.js';
import { KeyedSnapshot } from './keyed-snapshot.js';
import { SnapshotAt, TooLarge, textOf } from './snapshot-at.js';

type Provider = () => unknown;

/**
 * Takes snapshots of topics. Each topic takes one at a time, shared by all subscribes that arrive
 * before it ends. [L-6.2]
 */
export class Snapshots {
  private readonly pages = new Pages();

  constructor(
    private readonly broker: Broker,
    private readonly clock: Clock,
    private readonly observer: Observer,
    private readonly limits: Pick<LiveLimits, 'snapshotTimeoutMs' | 'maxSnapshotBytes' | 'maxPageBytes'>,
  ) {}

  /**
   * Joins the current run or starts one. Returns `undefined` for a topic without snapshots. Every
   * joiner must leave.
   */
  join(topic: Topic, rules: TopicRules): SnapshotRun | undefined {
    const running = topic.snapshotRun;
    if (running !== undefined && !running.hold.overflowed) return running.join();
    const { snapshot, latest, maxKeyAgeMs } = rules;
    if (snapshot !== undefined) return this.start(topic, () => this.fromProvider(topic.name, snapshot));
    return latest && this.start(topic, () => this.fromLatest(topic.name, latest, maxKeyAgeMs));
  }

  /** Pages of a large snapshot for a client that takes them. [L-6.10] */
  pagesOf(
    { wireName }: Topic,
    snapshot: Snapshot | undefined,
    { pages, maxBytes = Infinity }: Wanted,
  ): SnapshotPages | undefined {
    if (pages !== true || snapshot === undefined) return undefined;
    const { maxPageBytes: most = maxPageBytes } = this.limits;
    const envelope = pageText(wireName, '', true).length;
    return this.pages.of(wireName, snapshot, Math.min(most, maxBytes - envelope));
  }

  private start(topic: Topic, make: () => Promise<Snapshot>): SnapshotRun {
    const hold = topic.hold();
    const over = (): void => {
      if (topic.snapshotRun === run) topic.snapshotRun = undefined;
    };
    const run = new SharedRun(hold, this.take(make), () => {
      over();
      topic.release(hold);
    });
    run.result.then(over, over);
    topic.snapshotRun = run;
    return run.join();
  }

  private async take(make: () => Promise<Snapshot>): Promise<Snapshot> {
    try {
      const snapshot = await make();
      this.checkSize(snapshot);
      return snapshot;
    } catch (error) {
      this.observer.failed('making a snapshot', error);
      if (error instanceof TooLarge) throw new LiveError('limit-exceeded', error.message);
      throw new LiveError('unavailable', 'The snapshot of this topic is not available now', {
        retryAfterMs: 1_000,
      });
    }
  }

  /** A retry would be too large as well, so the code is the permanent `limit-exceeded`. [L-6.8] */
  private checkSize({ text }: Snapshot): void {
    const { maxSnapshotBytes } = this.limits;
    if (text !== undefined && Buffer.byteLength(text) > maxSnapshotBytes)
      throw new TooLarge(`The snapshot of this topic is larger than ${String(maxSnapshotBytes)} bytes`);
  }

  /** Reads the position first: publications that the provider has not seen follow as events. */
  private async fromProvider(topic: string, provider: Provider): Promise<Snapshot> {
    const { top } = await this.broker.read(topic, undefined, recoveryLimits);
    const ms = this.limits.snapshotTimeoutMs;
    const late = (): Error => new Error(`The snapshot was not ready within ${String(ms)} ms`);
    const state = await inTime(this.clock, ms, provider(), late);
    if (!(state instanceof SnapshotAt)) return { position: top, text: textOf(state), missed: [] };
    const { epoch, missed } = await this.since(topic, state.position);
    return { position: { epoch, offset: state.position.offset }, text: textOf(state.state), missed };
  }

  private async fromLatest(topic: string, rule: LatestRule, maxKeyAgeMs?: number): Promise<Snapshot> {
    const reading = await this.broker.latest(topic, maxKeyAgeMs);
    if (rule === 'last-per-key') return new KeyedSnapshot(reading, maxKeyAgeMs);
    return { position: reading.top, text: reading.publications[0]?.data, missed: [] };
  }

  /**
   * Returns the publications after the provider's position, and the epoch in which they are now.
   */
  private async since(
    topic: string,
    position: Position,
  ): Promise<{ readonly epoch: string; readonly missed: Snapshot['missed'] }> {
    const { top, missed } = await this.broker.read(topic, position, recoveryLimits);
    if (missed === undefined)
      throw new Error('The publications after the position of the snapshot are no longer in the history');
    return { epoch: top.epoch, missed };
  }
}
