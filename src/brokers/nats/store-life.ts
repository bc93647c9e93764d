import type { StreamInfo } from '@nats-io/jetstream';
import type { Clock } from '../../core/ports/clock.js';
import {
  type Era,
  type LifeContent,
  type LifeRecord,
  isAging,
  newEra,
  newLife,
  type ServerEvidence,
  verdictOf,
} from './life-record.js';
import type { NatsEngine } from './nats-engine.js';
import { decodeLife, encodeLife, recordOf } from './stored-life.js';

const maxAttempts = 20;
/**
 * Consecutive probes that must find the stream shorter, because an old leader may answer one of
 * them.
 */
const doubtfulProbes = 2;

/** A request for a new record. */
interface Wish {
  /** The record to replace. Any other record fulfills the request. */
  readonly instead: LifeRecord;
  readonly as: 'life' | 'era';
}

export interface LifeEvents {
  /** There is a new record, and so a new epoch for topics without publications. */
  changed(lifeChanged: boolean): void;
}

/**
 * Tracks the store's current life. The first instance that suspects a rollback appends a new life
 * to the stream, with an expected sequence; all instances read it there.
 */
export class StoreLife {
  /** The newest known record. */
  record: LifeRecord | undefined;
  /** Highest stream sequence known to be assigned in this incarnation of the stream. */
  private highest = 0;
  private shorterProbes = 0;
  /** Another instance reported a record that was not read yet. */
  private isOutdated = false;
  private check: Promise<unknown> | undefined;
  private nextCheck:
    { readonly record: LifeRecord; readonly eras: Promise<readonly Era[] | undefined> } | undefined;
  private settling: Promise<LifeRecord> | undefined;

  constructor(
    private readonly engine: () => NatsEngine,
    private readonly clock: Clock,
    private readonly events: LifeEvents,
  ) {}

  /** The record of the current stream. */
  current(): Promise<LifeRecord> {
    return this.recordIn(this.engine());
  }

  /** Compares the record with the store of a new connection. */
  async opened(engine: NatsEngine): Promise<void> {
    this.settling = undefined;
    const { record } = this;
    const { last_seq: last } = engine.stream.info.state;
    const isShorter = record?.stream === engine.streamId && last < this.highest;
    await this.settle(engine, isShorter ? { instead: record, as: 'life' } : undefined);
    this.highest = Math.max(this.highest, last);
  }

  /** Another instance reports a new record. It is read by `refresh`, or by the next probe. */
  announced(): void {
    this.isOutdated = true;
  }

  /** Reads the record again. The read begins after this call, and after the last report. */
  async refresh(engine = this.engine()): Promise<LifeRecord> {
    await this.settling?.catch(() => undefined);
    try {
      for (;;) {
        this.isOutdated = false;
        const record = await this.settle(engine);
        if (!this.isOutdated) return record;
      }
    } catch (error) {
      this.isOutdated = true;
      throw error;
    }
  }

  /** Starts a new life: the store was rolled back behind what is known here. */
  async force(instead: LifeRecord): Promise<LifeRecord> {
    return this.settle(this.engine(), { instead, as: 'life' });
  }

  /** Records that a message with this sequence existed. */
  saw(stream: string, seq: number): void {
    if (stream === this.record?.stream && seq > this.highest) this.highest = seq;
  }

  /**
   * The eras in which an empty topic cannot have existed unnoticed, if the known era is among them;
   * `undefined` if it is over. Call it after finding the topic empty, because later publications
   * would still be there.
   */
  erasOfUntouched(record: LifeRecord): Promise<readonly Era[] | undefined> {
    // Callers during a check share the next one, which starts after all of them have asked.
    if (this.nextCheck?.record !== record) {
      const eras = Promise.resolve(this.check).then(() => {
        if (this.nextCheck?.eras === eras) this.nextCheck = undefined;
        return this.erasThere(record);
      });
      this.nextCheck = { record, eras };
      this.check = eras.catch(() => undefined);
    }
    return this.nextCheck.eras;
  }

  private async erasThere(record: LifeRecord): Promise<readonly Era[] | undefined> {
    const { stream } = this.engine();
    const isThere = async ({ seq, epoch }: Era): Promise<boolean> => {
      const message = await stream.get(seq);
      return message !== undefined && decodeLife(message.data)?.epoch === epoch;
    };
    const eras = [record, ...record.before];
    // The oldest is dropped first.
    if (await isThere(eras.at(-1) ?? record)) return record.before;
    const there = await Promise.all(eras.map(isThere));
    return there[0] === true ? record.before.filter((_, i) => there[i + 1]) : undefined;
  }

  /** The record is no longer in the stream, so topics opened now need a new epoch. */
  async renew(instead: LifeRecord): Promise<LifeRecord> {
    return this.settle(this.engine(), { instead, as: 'era' });
  }

  /**
   * Requests the stream's state: the store may have been rolled back, or the record may soon be
   * dropped.
   */
  async probe(engine: NatsEngine): Promise<StreamInfo> {
    // Read these first: messages stored while the answer is in flight are not in it.
    const { record: asked, highest } = this;
    const info = await engine.stream.probe();
    const record = await (this.isOutdated ? this.refresh(engine) : this.recordIn(engine));
    // In another life `highest` has no meaning; the next probe compares.
    if (record !== asked) return info;
    const { state, config } = info;
    if (state.last_seq < highest) {
      this.shorterProbes += 1;
      if (engine.stream.copies > 1 && this.shorterProbes < doubtfulProbes) return info;
      await this.settle(engine, { instead: record, as: 'life' });
    } else if (isAging(record, state, config, this.clock.wallMs())) {
      await this.settle(engine, { instead: record, as: 'era' });
    }
    this.shorterProbes = 0;
    this.highest = Math.max(this.highest, state.last_seq);
    return info;
  }

  private async recordIn(engine: NatsEngine): Promise<LifeRecord> {
    const { record, settling } = this;
    return settling === undefined && record?.stream === engine.streamId ? record : this.settle(engine);
  }

  /** Runs one at a time, because most concurrent callers need the same record. */
  private async settle(engine: NatsEngine, wish?: Wish): Promise<LifeRecord> {
    while (this.settling !== undefined) {
      const record = await this.settling.catch(() => undefined);
      if (record?.stream !== engine.streamId) continue;
      if (wish === undefined || record.epoch !== wish.instead.epoch) return record;
    }
    const settling = this.settleNow(engine, wish);
    this.settling = settling;
    try {
      return await settling;
    } finally {
      if (this.settling === settling) this.settling = undefined;
    }
  }

  private async settleNow(engine: NatsEngine, wish: Wish | undefined): Promise<LifeRecord> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const { stream, message } = await engine.stream.lastLife();
      const stored = message && recordOf(message);
      const wanted = this.wanted(stream, stored, engine.server, wish);
      if (wanted === undefined && stored !== undefined) return this.accept(stored);
      if (wanted === undefined) throw new Error('The NATS stream has no life record.');
      const after = message?.seq ?? 0;
      const appended = await engine.stream.appendLife(stream, after, encodeLife(wanted));
      if (typeof appended === 'string' || !('seq' in appended)) continue;
      await this.checkStored(engine);
      const { seq } = appended;
      const atMs = this.clock.wallMs();
      return this.accept({ ...wanted, stream, seq, atMs, since: wanted.since ?? seq });
    }
    throw new Error("Too many instances write the store's life record at the same time.");
  }

  /** Without this check, every read of the stream would write another record. */
  private async checkStored(engine: NatsEngine): Promise<void> {
    const { message } = await engine.stream.lastLife();
    if (message !== undefined) return;
    const error = new Error(
      'NATS acknowledges messages but stores none: delete the stream or restart the server.',
    );
    engine.fail(error);
    throw error;
  }

  /** The record to write; `undefined` if the stored one is valid. */
  private wanted(
    stream: string,
    stored: LifeRecord | undefined,
    server: ServerEvidence,
    wish: Wish | undefined,
  ): LifeContent | undefined {
    const wallMs = this.clock.wallMs();
    const known = this.record?.stream === stream ? this.record : undefined;
    const last = stored ?? known;
    if (last === undefined) return newLife(undefined, server, wallMs, this.record?.life);
    const wentBack =
      stored !== undefined &&
      known !== undefined &&
      (stored.life < known.life || (stored.life === known.life && stored.seq < known.seq));
    // Compares epochs, because a store that was rolled back reuses sequences.
    const isWished = wish?.instead.epoch === last.epoch;
    const verdict = verdictOf(last, server, wallMs);
    if (verdict === 'over' || wentBack || (isWished && wish.as === 'life'))
      return newLife(last, server, wallMs, known?.life);
    return verdict === 'noted' || isWished || stored === undefined ? newEra(last, server, wallMs) : undefined;
  }

  private accept(record: LifeRecord): LifeRecord {
    const { record: known } = this;
    if (known?.stream === record.stream && known.epoch === record.epoch) return known;
    this.record = record;
    const isSameLife = known?.stream === record.stream && known.life === record.life;
    if (!isSameLife) this.highest = record.seq;
    else this.highest = Math.max(this.highest, record.seq);
    this.events.changed(!isSameLife);
    return record;
  }
}
