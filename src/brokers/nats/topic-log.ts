import { randomBytes } from 'node:crypto';
import type { Clock } from '../../core/ports/clock.js';
import { tooLarge } from '../../core/ports/publish-refusal.js';
import { Heads, type KnownHead } from './heads.js';
import { MessageCache } from './message-cache.js';
import type { NatsEngine, RawMessage } from './nats-engine.js';
import { type Content, decode, encode, type Place, refCount, type StoredMessage } from './stored-message.js';

/** Room for the headers of a message in what the server takes. */
const headerBytes = 1_024;

/** How often a topic's end is looked for while others write it. */
const attempts = 20;
/** Times that a stream which seems to have lost its end is read again, and how long apart. */
const doubts = { times: 2, pauseMs: 100 } as const;

const limits = { heads: 10_000, cacheBytes: 16_777_216 } as const;

export interface LogOptions {
  /** Milliseconds after which the server forgets a message. */
  readonly retentionMs: number;
  readonly junk: () => void;
}

/** The messages of each topic in the stream: a chain in which each one is written behind the one it knows as the last. */
export class TopicLog {
  readonly heads = new Heads(limits.heads);
  /** Times that everything was forgotten. */
  private forgotten = 0;
  private readonly cache = new MessageCache(limits.cacheBytes);

  constructor(
    private readonly engine: () => NatsEngine,
    private readonly clock: Clock,
    private readonly options: LogOptions,
  ) {}

  /** Nothing that is known is true any more. */
  forget(): void {
    this.heads.clear();
    this.cache.clear();
    this.forgotten += 1;
  }

  /** The topic's last message; an untouched topic gets its first, which gives it an epoch. */
  async head(topic: string): Promise<StoredMessage> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const found = await this.find(topic, attempt);
      if ('epoch' in found) return found;
      const born = await this.append(topic, birth(found.seq > 0), found);
      if (typeof born === 'object' && 'seq' in born) return born;
    }
    throw new Error('Too many write to the topic at once.');
  }

  /** What the topic's next message comes after; an untouched topic gets its epoch with that one. */
  async end(topic: string): Promise<KnownHead> {
    const found = await this.find(topic, 0);
    if ('epoch' in found) return found;
    return found.seq > 0 ? this.head(topic) : { ...birth(false), ...found };
  }

  /** The topic's last message, or behind what a new stream of it must begin. */
  private async find(topic: string, attempt: number): Promise<StoredMessage | Place> {
    // Read before the answer can be on its way: what comes later says nothing against it.
    const known = this.heads.get(topic);
    const { stream, message: raw } = await this.engine().last(topic);
    const message = raw && this.read(raw);
    // What is there but cannot be read, or has lost its end, is the same as lost.
    if (message === undefined) return { stream, seq: raw?.seq ?? 0 };
    if (known !== undefined && isCutOff(known, message)) {
      if (attempt >= doubts.times) return { stream, seq: message.seq };
      await this.pause(doubts.pauseMs);
      return this.find(topic, attempt + 1);
    }
    this.heads.note(topic, message);
    return message;
  }

  /** Like `head`, and writes the end down again before the server forgets it. */
  async lastingHead(topic: string): Promise<StoredMessage> {
    const head = await this.head(topic);
    if (this.clock.wallMs() - head.atMs < this.options.retentionMs / 2) return head;
    const again = { ...head, publications: [], kept: false, remembered: false, anew: false };
    const touched = await this.append(topic, { ...again, refs: refsAfter(head), tail: head.tail + 1 }, head);
    return typeof touched === 'object' && 'seq' in touched ? touched : head;
  }

  /** The message with this number, if it is the topic's and still there. */
  async get(topic: string, seq: number): Promise<StoredMessage | undefined> {
    const cached = this.cache.get(seq, topic);
    if (cached !== undefined) return cached;
    const { forgotten } = this;
    const raw = await this.engine().get(seq);
    const message = raw && this.read(raw);
    // The number may mean another message by now.
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
    const payload = encode(content);
    const engine = this.engine();
    const maxBytes = engine.maxPayloadBytes - headerBytes;
    if (payload.length > maxBytes) {
      if (content.publications.length === 1) throw tooLarge(maxBytes, payload.length);
      throw new Error(`The NATS server takes at most ${String(engine.maxPayloadBytes)} bytes.`);
    }
    const appended = await engine.append({ stream: after.stream, after: after.seq }, topic, payload, id);
    if (typeof appended === 'string' || 'duplicateOf' in appended) return appended;
    const bytes = content.publications.reduce((sum, { data }) => sum + data.length, 0);
    const message = { ...content, stream: after.stream, seq: appended.seq, atMs: this.clock.wallMs(), bytes };
    this.heads.note(topic, message);
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

/** Whether the end that is there is not the one that was there: a store that went back behind what it had promised. */
function isCutOff(known: KnownHead, { stream, epoch, top }: StoredMessage): boolean {
  return known.stream === stream && known.epoch === epoch && known.top > top;
}

export function refsAfter({ seq, refs }: KnownHead): number[] {
  // Nothing is before the first.
  return seq === 0 ? [] : [seq, ...refs.slice(0, refCount - 1)];
}

function birth(anew: boolean): Content {
  return {
    epoch: randomBytes(12).toString('base64url'),
    top: 0,
    refs: [],
    tail: 0,
    publications: [],
    kept: false,
    remembered: false,
    anew,
  };
}
