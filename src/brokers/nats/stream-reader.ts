import { Buffer } from 'node:buffer';
import type { LatestReading, Publication, RecoveryLimits, StreamReading } from '../../core/ports/broker.js';
import type { Clock } from '../../core/ports/clock.js';
import { Latest } from '../../core/stream/latest.js';
import type { Position } from '../../protocol/position.js';
import { refCount, type StoredMessage } from './stored-message.js';
import type { TopicLog } from './topic-log.js';

/** Messages that are looked through for the last publication that is remembered. */
const lookBack = 4 * refCount;

/** Reads what is kept of a topic. */
export class StreamReader {
  constructor(
    private readonly log: TopicLog,
    private readonly clock: Clock,
  ) {}

  async read(topic: string, since: Position | undefined, limits: RecoveryLimits): Promise<StreamReading> {
    const head = await this.log.lastingHead(topic);
    const top = { epoch: head.epoch, offset: head.top };
    return { top, missed: since && (await this.missed(topic, head, since, limits)) };
  }

  async top(topic: string): Promise<Position> {
    const { epoch, top } = await this.log.lastingHead(topic);
    return { epoch, offset: top };
  }

  async latest(topic: string): Promise<LatestReading> {
    let head = await this.log.lastingHead(topic);
    for (;;) {
      const publications = await this.remembered(topic, head);
      const top = { epoch: head.epoch, offset: head.top };
      if (publications !== undefined) return { top, publications };
      const before = head;
      head = await this.log.head(topic);
      // The base that went away has no successor: what was in it is forgotten.
      if (head.base?.offset === before.base?.offset) {
        return { top, publications: (await this.remembered(topic, { ...before, base: undefined })) ?? [] };
      }
    }
  }

  /** What is remembered at a head; `undefined` when its base was there a moment ago and is not any more. */
  async remembered(topic: string, head: StoredMessage): Promise<readonly Publication[] | undefined> {
    if (head.latest === undefined) return [];
    if (head.latest === 'last') return this.last(topic, head);
    const latest = new Latest();
    const { base } = head;
    if (base !== undefined) {
      const parts = await Promise.all(base.seqs.map((seq) => this.log.get(topic, seq)));
      for (const part of parts) {
        if (part === undefined || part.epoch !== head.epoch) return undefined;
        for (const publication of part.publications) latest.add(publication, 'last-per-key');
      }
    }
    for (const publication of await this.since(topic, head, base?.offset ?? 0))
      latest.add(publication, 'last-per-key');
    return latest.publications;
  }

  private async last(topic: string, head: StoredMessage): Promise<readonly Publication[]> {
    let seen = 0;
    for await (const message of this.log.back(topic, head, () => (seen > 1 ? refCount : 1))) {
      const publication = message.publications.at(-1);
      if (message.epoch !== head.epoch || (seen += 1) > lookBack) return [];
      if (message.remembered && publication !== undefined) return [publication];
    }
    return [];
  }

  /** What is remembered of the messages behind `offset`, in order. */
  private async since(topic: string, head: StoredMessage, offset: number): Promise<readonly Publication[]> {
    const messages: StoredMessage[] = [];
    let left = head.tail;
    for await (const message of this.log.back(topic, head, () => left)) {
      if (message.epoch !== head.epoch || message.top <= offset) break;
      messages.push(message);
      left -= 1;
    }
    return messages.toReversed().flatMap(({ remembered, publications }) => (remembered ? publications : []));
  }

  /** Everything after `since`; `undefined` when it is not all there. */
  private async missed(
    topic: string,
    head: StoredMessage,
    since: Position,
    limits: RecoveryLimits,
  ): Promise<readonly Publication[] | undefined> {
    const { rules, epoch, top } = head;
    if (since.epoch !== epoch) return undefined;
    const count = top - since.offset;
    if (count === 0) return [];
    if (rules === undefined || count < 0 || count > Math.min(limits.count, rules.size)) return undefined;
    const oldestMs = this.clock.wallMs() - rules.ttlMs;
    let bytesLeft = Math.min(limits.bytes, rules.maxBytes);
    let next = top;
    const missed: Publication[] = [];
    for await (const message of this.log.back(topic, head, () => next - since.offset)) {
      if (message.epoch !== epoch) return undefined;
      // Written down again, or the birth of the topic.
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
