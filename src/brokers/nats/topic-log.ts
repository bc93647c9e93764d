import type { Clock } from '../../core/ports/clock.js';
import { tooLarge } from '../../core/ports/publish-refusal.js';
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

/** Room for the headers of a message in what the server takes. */
const headerBytes = 1_024;

/** How often a topic's end is looked for while others write it, or while the store's life changes. */
const attempts = 20;
/** Times that a stream which seems to have lost its end is read again, and how long apart. */
const doubts = { times: 2, pauseMs: 100 } as const;

const limits = { heads: 10_000, seen: 10_000, cacheBytes: 16_777_216 } as const;

export interface LogOptions {
  readonly junk: () => void;
}

/** A topic's end in the present life of the store. */
export interface TopicEnd extends KnownHead {
  /** The topic's last message; absent where it has none. */
  readonly message: StoredMessage | undefined;
}

/** The messages of each topic in the stream: a chain in which each one is written behind the one it knows as the last. */
export class TopicLog {
  readonly heads = new Heads(limits.heads);
  readonly versions = new VersionsOfKeys(this);
  /** Times that everything was forgotten. */
  private forgotten = 0;
  private readonly cache = new MessageCache(limits.cacheBytes);
  /** Highest positions that were published, received or read here. */
  private readonly seen = new Seen(limits.seen);

  constructor(
    private readonly engine: () => NatsEngine,
    private readonly life: StoreLife,
    private readonly clock: Clock,
    private readonly options: LogOptions,
  ) {}

  /** Nothing that is known is true any more: the store may have gone back. */
  forget(): void {
    this.heads.clear();
    this.versions.forget();
    this.cache.clear();
    this.forgotten += 1;
  }

  /** Runs what reads several messages, again where they may be of two lives of the store. */
  async steadily<T>(run: () => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { forgotten } = this;
      const result = await run();
      if (forgotten === this.forgotten) return result;
    }
    throw new Error('The store changes while it is read.');
  }

  /** The end of the topic, where the next message goes. Asking writes nothing, also where there is no message yet. */
  async end(topic: string): Promise<TopicEnd> {
    for (let attempt = 0, doubtful = 0; attempt < attempts; attempt++) {
      const record = await this.life.current();
      // Read before the answer can be on its way: what comes later says nothing against it.
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

  /** Whether a message of the topic with this number, or a later one, was noted. */
  isKnown(topic: string, stream: string, seq: number): boolean {
    const head = this.heads.get(topic);
    return head?.stream === stream && head.seq >= seq;
  }

  /** Remembers a head that is of the present life, and how far the topic was seen to be. */
  note(topic: string, head: KnownHead & Pick<Partial<Content>, 'versions'>): void {
    const { record } = this.life;
    if (head.stream !== record?.stream || head.life !== record.life) return;
    if (head.seq > 0 && this.heads.get(topic)?.seq === head.seq) return this.heads.touch(topic);
    this.versions.follow(topic, head);
    this.heads.note(topic, head);
    this.seen.add(topic, head.epoch, head.top);
  }

  /** Starts the topic's stream over behind `after`. A stream that is lost in part counts as lost. */
  async startOver(topic: string, after: Place): Promise<void> {
    const { life } = await this.life.current();
    await this.append(topic, birth(life), after);
  }

  /** The topic's end by the record; `undefined` when there is to be another look. */
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
    // What cannot be read, or is of a life that the store does not know, is the same as lost.
    if (message === undefined || (isLater && (await this.life.refresh()).life < message.life))
      await this.startOver(topic, raw);
    if (message === undefined || isLater) return undefined;
    const { epoch, life, lineage } = asOfNow(message, await this.pastTop(topic, message, record), record);
    return { ...message, epoch, life, lineage, message };
  }

  /**
   * The topic's last offset when the present life began. Instances that have not heard of it yet go on appending to what
   * they know; `undefined` if that is something the store has lost.
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

  /** The message with this number, if it is the topic's and still there. */
  async get(topic: string, seq: number): Promise<StoredMessage | undefined> {
    const cached = this.cache.get(seq, topic);
    if (cached !== undefined) return cached;
    const { forgotten } = this;
    const { stream } = this.engine();
    const raw = await stream.get(seq);
    // The number may mean another message by now.
    const message = raw && stream.isOf(topic, raw) ? this.read(raw) : undefined;
    if (message !== undefined && forgotten === this.forgotten) this.cache.put(topic, message);
    return message;
  }

  /** Appends behind the message `after`. */
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
    return message;
  }

  /** The topic's messages from this one back, as far as they are there. `want` says how many are asked for at once. */
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
