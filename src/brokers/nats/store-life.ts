import type { StreamInfo } from '@nats-io/jetstream';
import type { Clock } from '../../core/ports/clock.js';
import {
  decodeLife,
  encodeLife,
  type Era,
  type LifeContent,
  type LifeRecord,
  newEra,
  newLife,
  type ServerEvidence,
  verdictOf,
} from './life-record.js';
import type { NatsEngine } from './nats-engine.js';
import type { RawMessage } from './stream-access.js';

const attempts = 20;
/** Probes in a row that must find the stream shorter than it was, where an old leader may answer one of them. */
const doubtfulProbes = 2;

/** Why a new record is wanted. */
interface Wish {
  /** The record that is not good enough any more; with another one the wish is fulfilled. */
  readonly instead: LifeRecord;
  readonly as: 'life' | 'era';
}

export interface LifeEvents {
  /** There is another record, and so another epoch for topics that nothing was published to. */
  changed(lifeChanged: boolean): void;
}

/**
 * Knows in which life the store is. Whoever first sees that the store may have gone back writes a new life down in the
 * stream by compare-and-append; everybody reads it there.
 */
export class StoreLife {
  /** The newest record that is known here. */
  record: LifeRecord | undefined;
  /** Highest stream sequence that is known to have been given in this making of the stream. */
  private highest = 0;
  private shorterProbes = 0;
  private check: Promise<unknown> | undefined;
  private nextCheck:
    { readonly record: LifeRecord; readonly eras: Promise<readonly Era[] | undefined> } | undefined;
  private settling: Promise<LifeRecord> | undefined;

  constructor(
    private readonly engine: () => NatsEngine,
    private readonly clock: Clock,
    private readonly events: LifeEvents,
  ) {}

  /** The record of the stream that there is now. */
  current(): Promise<LifeRecord> {
    return this.recordIn(this.engine());
  }

  /** Compares the record with the store at the other end of a new connection. */
  async opened(engine: NatsEngine): Promise<void> {
    this.settling = undefined;
    const { record } = this;
    const { last_seq: last } = engine.stream.info.state;
    const isShorter = record?.stream === engine.streamId && last < this.highest;
    await this.settle(engine, isShorter ? { instead: record, as: 'life' } : undefined);
    this.highest = Math.max(this.highest, last);
  }

  /** Reads the record again: something was seen that is of a later life. */
  async refresh(): Promise<LifeRecord> {
    return this.settle(this.engine());
  }

  /** The store has gone back behind what is known here. */
  async force(instead: LifeRecord): Promise<LifeRecord> {
    return this.settle(this.engine(), { instead, as: 'life' });
  }

  /** A message with this number was there. */
  saw(stream: string, seq: number): void {
    if (stream === this.record?.stream && seq > this.highest) this.highest = seq;
  }

  /**
   * The eras in which no topic can have come and gone unseen, if the one that is known is one of them; `undefined` when
   * it is over. Asked after a topic was found empty: what was published to it since would still be there.
   */
  erasOfUntouched(record: LifeRecord): Promise<readonly Era[] | undefined> {
    // Whoever asks while a check is under way shares the next one, which begins after all of them have asked.
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
    // The oldest goes first.
    if (await isThere(eras.at(-1) ?? record)) return record.before;
    const there = await Promise.all(eras.map(isThere));
    return there[0] === true ? record.before.filter((_, i) => there[i + 1]) : undefined;
  }

  /** The record is no longer in the stream: topics that are opened now need another epoch. */
  async renew(instead: LifeRecord): Promise<LifeRecord> {
    return this.settle(this.engine(), { instead, as: 'era' });
  }

  /** Asks the server for the stream: the store may have gone back, or the record may soon be dropped. */
  async probe(engine: NatsEngine): Promise<StreamInfo> {
    // Read before the question goes out: messages stored while the answer is on its way are not in it.
    const { record: asked, highest } = this;
    const info = await engine.stream.probe();
    const record = await this.recordIn(engine);
    // Of another life, where `highest` means nothing: the next probe compares.
    if (record !== asked) return info;
    const { state, config } = info;
    if (state.last_seq < highest) {
      this.shorterProbes += 1;
      if (engine.stream.copies > 1 && this.shorterProbes < doubtfulProbes) return info;
      await this.settle(engine, { instead: record, as: 'life' });
    } else if (this.isAging(record, state, config)) {
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

  /** In the older half of what is soon dropped; with its record gone nobody could open a topic. */
  private isAging(
    { seq, atMs }: LifeRecord,
    { first_seq: first, last_seq: last, bytes, messages }: StreamInfo['state'],
    { max_bytes: maxBytes, max_msgs: maxMessages, max_age: maxAgeNanos }: StreamInfo['config'],
  ): boolean {
    if (seq < first) return true;
    if (maxAgeNanos > 0 && this.clock.wallMs() - atMs > maxAgeNanos / 2_000_000) return true;
    const isFull = (maxBytes > 0 && bytes > maxBytes / 2) || (maxMessages > 0 && messages > maxMessages / 2);
    return isFull && seq - first < (last - first) / 2;
  }

  /** One at a time: most who ask at once ask for the same. */
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
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { stream, message } = await engine.stream.lastLife();
      const stored = message && recordOf(message);
      const wanted = this.wanted(stream, stored, engine.server, wish);
      if (wanted === undefined && stored !== undefined) return this.accept(stored);
      if (wanted === undefined) throw new Error('The store has no life.');
      const after = message?.seq ?? 0;
      const appended = await engine.stream.appendLife(stream, after, encodeLife(wanted));
      if (typeof appended === 'string' || !('seq' in appended)) continue;
      await this.checkStored(engine);
      const { seq } = appended;
      const atMs = this.clock.wallMs();
      return this.accept({ ...wanted, stream, seq, atMs, since: wanted.since ?? seq });
    }
    throw new Error('Too many write down the life of the store at once.');
  }

  /** Else every look at the stream would write another record. */
  private async checkStored(engine: NatsEngine): Promise<void> {
    const { message } = await engine.stream.lastLife();
    if (message !== undefined) return;
    const error = new Error('NATS takes messages and keeps none: delete the stream, or restart the server.');
    engine.fail(error);
    throw error;
  }

  /** What is to be written; `undefined` when what is stored is right. */
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
    // By the epoch: a store that has gone back gives sequences twice.
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

function recordOf({ stream, seq, atMs, data }: RawMessage): LifeRecord | undefined {
  const content = decodeLife(data);
  return content && { ...content, stream, seq, atMs, since: content.since ?? seq };
}
