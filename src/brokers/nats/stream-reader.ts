import { Buffer } from 'node:buffer';
import type { LatestReading, Publication, RecoveryLimits, StreamReading } from '../../core/ports/broker.js';
import { Latest } from '../../core/stream/latest.js';
import type { Position } from '../../protocol/position.js';
import { continues } from './as-of-now.js';
import type { ServerClock } from './server-clock.js';
import { refCount, type StoredMessage } from './stored-message.js';
import type { TopicEnd, TopicLog } from './topic-log.js';

/** Messages searched for the last publication kept for snapshots. */
const lookBack = 4 * refCount;

/** Reads the stored data of a topic. */
export class StreamReader {
  constructor(
    private readonly log: TopicLog,
    private readonly serverClock: ServerClock,
  ) {}

  read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    return this.log.steadily(async () => {
      const end = await this.log.end(topic);
      return { top: topOf(end), missed: since && (await this.missed(topic, end, since, limits)) };
    });
  }

  async top(topic: string): Promise<Position> {
    return topOf(await this.log.end(topic));
  }

  latest(topic: string, maxKeyAgeMs?: number): Promise<LatestReading> {
    return this.log.steadily(async () => {
      let end = await this.log.end(topic);
      for (;;) {
        const remembered = await this.remembered(topic, end);
        if (remembered !== undefined) {
          return { top: topOf(end), ...remembered.reading(this.serverClock.nowMs(), maxKeyAgeMs) };
        }
        const before = end;
        end = await this.log.end(topic);
        // If they differ, the missing base has a successor.
        if (end.base?.offset === before.base?.offset && end.epoch === before.epoch) {
          await this.log.startOver(topic, end);
          end = await this.log.end(topic);
        }
      }
    });
  }

  /** The snapshot data at the topic's end; `undefined` if any of it is missing. */
  async remembered(topic: string, end: TopicEnd): Promise<Latest | undefined> {
    const { latest, message, base } = end;
    const remembered = new Latest();
    if (latest === undefined || message === undefined) return remembered;
    if (latest === 'last') {
      const last = await this.last(topic, message);
      for (const publication of last ?? []) remembered.add(publication, latest);
      return last && remembered;
    }
    if (base !== undefined) {
      const parts = await Promise.all(base.seqs.map((seq) => this.log.get(topic, seq)));
      for (const part of parts) {
        // A base records its end; after a rollback another message may have this sequence.
        if (part?.top !== base.offset || !part.remembered) return undefined;
        part.publications.forEach((publication, i) => {
          // Earlier versions wrote no times.
          remembered.add(publication, latest, part.times?.[i] || undefined);
        });
      }
    }
    const since = await this.since(topic, message, end.tail, base?.offset ?? 0);
    for (const { publications, atMs } of since ?? [])
      for (const publication of publications) remembered.add(publication, latest, atMs);
    return since && remembered;
  }

  private async last(topic: string, from: StoredMessage): Promise<readonly Publication[] | undefined> {
    let seen = 0;
    let isWhole = false;
    for await (const message of this.log.back(topic, from, () => (seen > 1 ? refCount : 1))) {
      const publication = message.publications.at(-1);
      if ((seen += 1) > lookBack) return [];
      if (message.remembered && publication !== undefined) return [publication];
      isWhole = message.refs.length === 0;
    }
    return isWhole ? [] : undefined;
  }

  /**
   * The messages after `offset` that are kept for snapshots, in order; `undefined` if any is
   * missing.
   */
  private async since(
    topic: string,
    from: StoredMessage,
    tail: number,
    offset: number,
  ): Promise<readonly StoredMessage[] | undefined> {
    const messages: StoredMessage[] = [];
    let left = tail;
    let isWhole = false;
    for await (const message of this.log.back(topic, from, () => left)) {
      isWhole = message.top <= offset || message.refs.length === 0;
      if (message.top <= offset) break;
      messages.push(message);
      left -= 1;
    }
    if (!isWhole) return undefined;
    return messages.toReversed().filter(({ remembered }) => remembered);
  }

  /** Everything after `since`; `undefined` if any of it is missing. */
  private async missed(
    topic: string,
    end: TopicEnd,
    since: Position,
    limits: RecoveryLimits,
  ): Promise<readonly Publication[] | undefined> {
    const { rules, top, message: last } = end;
    if (!continues(end, since.epoch, since.offset)) return undefined;
    const count = top - since.offset;
    if (count === 0) return [];
    if (rules === undefined || last === undefined || count > Math.min(limits.count, rules.size))
      return undefined;
    const oldestMs = this.serverClock.nowMs() - rules.ttlMs;
    let bytesLeft = Math.min(limits.bytes, rules.maxBytes);
    let next = top;
    const missed: Publication[] = [];
    for await (const message of this.log.back(topic, last, () => next - since.offset)) {
      // The start of the topic.
      if (message.publications.length === 0) continue;
      if (!message.kept || message.atMs < oldestMs) return undefined;
      for (const publication of message.publications.toReversed()) {
        bytesLeft -= Buffer.byteLength(publication.data);
        if (publication.offset !== next || bytesLeft < 0) return undefined;
        missed.push(publication);
        next -= 1;
        if (next === since.offset) return missed.toReversed();
      }
    }
    return undefined;
  }
}

function topOf({ epoch, top }: TopicEnd): Position {
  return { epoch, offset: top };
}
