import type { Clock } from '../../core/ports/clock.js';
import { tooLarge } from '../../core/ports/publish-refusal.js';
import type { Position } from '../../protocol/position.js';
import { Generations } from '../generations.js';
import { Seen } from '../seen.js';
import { asOfNow, untouchedSince } from './as-of-now.js';
import { Heads, type KnownHead } from './heads.js';
import type { LifeRecord } from './life-record.js';
import { birth, follows } from './message-chain.js';
import { MessageCache } from './message-cache.js';
import type { NatsEngine } from './nats-engine.js';
import type { StoreLife } from './store-life.js';
import { type Content, decode, encode, type Place, refCount, type StoredMessage } from './stored-message.js';
import { VersionsOfKeys } from './versions-of-keys.js';
import type { RawMessage } from './raw-message.js';

/** Bytes reserved for a message's headers within the server's maximum. */
const headerBytes = 1_024;

/** Maximum reads of a topic's end while other instances write or the store's life changes. */
const attempts = 20;
/** Extra reads of a stream that seems to have lost its end, and the pause between them. */
const doubts = { times: 2, pauseMs: 100 } as const;

const limits = { heads: 10_000, firsts: 50_000, seen: 10_000, cacheBytes: 16_777_216 } as const;

export interface LogOptions {
  readonly junk: () => void;
}

/** A topic's end in the current life of the store. */
export interface TopicEnd extends KnownHead {
  /** The topic's last message, if it has one. */
  readonly message: StoredMessage | undefined;
}

/** The messages of each topic: a chain in which every message refers to its predecessor. */
export class TopicLog {
  readonly heads = new Heads(limits.heads);
  /**
   * Positions of the publications with an idempotency key that this instance made or received, by
   * the id of their message: the stream may drop a message before the server forgets its id.
   */
  readonly firsts = new Generations<Position>(limits.firsts);
  readonly versions = new VersionsOfKeys(this);
  /** Number of times that everything was forgotten. */
  private forgotten = 0;
  private readonly cache = new MessageCache(limits.cacheBytes);
  /** Highest positions that this instance has published, received or read. */
  private readonly seen = new Seen(limits.seen);

  constructor(
    private readonly engine: () => NatsEngine,
    private readonly life: StoreLife,
    private readonly clock: Clock,
    private readonly options: LogOptions,
  ) {}

  /** Forgets everything, because the store may have gone back. */
  forget(): void {
    this.heads.clear();
    this.firsts.clear();
    this.versions.forget();
    this.cache.clear();
    this.forgotten += 1;
  }

  /** Reads several messages, and repeats that if they may belong to two lives of the store. */
  async steadily<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { forgotten } = this;
      const result = await run();
      if (forgotten === this.forgotten) return result;
    }
    throw new Error('The store changes while it is read.');
  }

  /** The end of the topic, where the next message goes. Never writes, even for an unused topic. */
  async end(topic: string): Promise<TopicEnd> {
    for (let attempt = 0, doubtful = 0; attempt < attempts; attempt++) {
      const record = await this.life.current();
      // Read this before the request, because later publications do not contradict its answer.
      const { epoch, offset = 0 } = { ...this.seen.get(topic) };
      const end = await this.find(topic, record);
      if (end === undefined) continue;
      if (epoch === end.epoch && offset > end.top) {
        doubtful += 1;
        if (doubtful > doubts.times) await this.life.force(record);
        else await this.pause(doubts.pauseMs);
        continue;
      }
      this.note(topic, end);
      return end;
    }
    throw new Error('Too many write to the topic at once.');
  }

  /** Whether this message of the topic, or a later one, was noted. */
  isKnown(topic: string, stream: string, seq: number): boolean {
    const head = this.heads.get(topic);
    return head?.stream === stream && head.seq >= seq;
  }

  /** Remembers a head of the current life, and the topic's highest known position. */
  note(topic: string, head: KnownHead & Pick<Partial<Content>, 'versions'>): void {
    const { record } = this.life;
    if (head.stream !== record?.stream || head.life !== record.life) return;
    if (head.seq > 0 && this.heads.get(topic)?.seq === head.seq) return this.heads.touch(topic);
    this.versions.follow(topic, head);
    this.heads.note(topic, head);
    this.seen.add(topic, head.epoch, head.top);
  }

  /** Starts the topic's stream over behind `after`. A partly lost stream counts as lost. */
  async startOver(topic: string, after: Place): Promise<void> {
    const { life } = await this.life.current();
    await this.append(topic, birth(life), after);
  }

  /** The topic's end according to the life record, or `undefined` if it must be read again. */
  private async find(topic: string, record: LifeRecord): Promise<TopicEnd | undefined> {
    const { stream, message: raw } = await this.engine().stream.last(topic);
    if (stream !== record.stream || record !== this.life.record) return undefined;
    if (raw === undefined) {
      const eras = await this.life.erasOfUntouched(record);
      if (eras !== undefined) {
        const { epoch, life } = record;
        const start = { epoch, life, lineage: untouchedSince(eras), top: 0, refs: [], tail: 0 };
        return { ...start, stream, seq: 0, message: undefined };
      }
      await this.life.renew(record);
      return undefined;
    }
    const message = this.read(raw);
    const isLater = message !== undefined && message.life > record.life;
    // A message that is unreadable, or of a life unknown to the store, counts as lost.
    if (message === undefined || (isLater && (await this.life.refresh()).life < message.life))
      await this.startOver(topic, raw);
    if (message === undefined || isLater) return undefined;
    const { epoch, life, lineage } = asOfNow(message, await this.pastTop(topic, message, record), record);
    return { ...message, epoch, life, lineage, message };
  }

  /**
   * The topic's last offset when the current life began, or `undefined` if it cannot be known.
   * Instances that do not know of the new life still append behind the head that they know, which
   * the store may have lost.
   */
  private async pastTop(
    topic: string,
    message: StoredMessage,
    { life, since }: LifeRecord,
  ): Promise<number | undefined> {
    if (message.life >= life) return message.top;
    let after: StoredMessage | undefined;
    for await (const each of this.back(topic, message, () => refCount)) {
      if (after !== undefined && !follows(after, each)) return undefined;
      if (each.seq < since) return each.top;
      after = each;
    }
    return undefined;
  }

  /** The message with this sequence number, if it still exists and belongs to the topic. */
  async get(topic: string, seq: number): Promise<StoredMessage | undefined> {
    const cached = this.cache.get(seq, topic);
    if (cached !== undefined) return cached;
    const { forgotten } = this;
    const { stream } = this.engine();
    const raw = await stream.get(seq);
    // The number may belong to another message by now.
    const message = raw && stream.isOf(topic, raw) ? this.read(raw) : undefined;
    if (message !== undefined && forgotten === this.forgotten) this.cache.put(topic, message);
    return message;
  }

  /** Appends a message behind `after`. */
  async append(
    topic: string,
    content: Content,
    after: Place,
    id?: string,
  ): Promise<StoredMessage | { readonly duplicateOf: number } | 'overtaken'> {
    const { record } = this.life;
    if (after.stream !== record?.stream || content.life !== record.life) return 'overtaken';
    const payload = encode(content);
    const engine = this.engine();
    const maxBytes = engine.maxPayloadBytes - headerBytes;
    if (payload.length > maxBytes) {
      if (content.publications.length === 1) throw tooLarge(maxBytes, payload.length);
      throw new Error(`The NATS server takes at most ${String(engine.maxPayloadBytes)} bytes.`);
    }
    const appended = await engine.stream.append(after.stream, after.seq, topic, payload, id);
    if (typeof appended === 'string' || 'duplicateOf' in appended) return appended;
    const { stream } = after;
    const { seq } = appended;
    this.life.saw(stream, seq);
    const bytes = content.publications.reduce((sum, { data }) => sum + data.length, 0);
    const message = { ...content, stream, seq, atMs: this.clock.wallMs(), bytes };
    this.note(topic, message);
    if (id !== undefined) this.firsts.set(id, { epoch: message.epoch, offset: message.top });
    return message;
  }

  /** Existing messages from this one back. `want` gives the number to request at once. */
  async *back(topic: string, from: StoredMessage, want: () => number): AsyncGenerator<StoredMessage> {
    let current = from;
    for (;;) {
      yield current;
      const seqs = current.refs.slice(0, Math.min(refCount, Math.max(1, want())));
      const older = await Promise.all(seqs.map((seq) => this.get(topic, seq)));
      const last = older.at(-1);
      for (const message of older.slice(0, -1)) {
        if (message === undefined) return;
        yield message;
      }
      if (last === undefined) return;
      current = last;
    }
  }

  private read({ data, stream, seq, atMs }: RawMessage): StoredMessage | undefined {
    this.life.saw(stream, seq);
    const content = decode(data);
    if (content !== undefined) return { ...content, stream, seq, atMs };
    this.options.junk();
    return undefined;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(ms, resolve);
    });
  }
}
