import { KeyVersions } from '../../core/stream/key-versions.js';
import type { KnownHead } from './heads.js';
import type { KeyVersion, StoredMessage } from './stored-message.js';

const limits = { topics: 10_000, bytes: 33_554_432 } as const;
/** Approximate overhead per key. */
const overheadBytes = 64;

/** Access to the messages of topics. */
interface Messages {
  get(topic: string, seq: number): Promise<StoredMessage | undefined>;
  back(topic: string, from: StoredMessage, want: () => number): AsyncIterable<StoredMessage>;
}

/** The versions after one message of a topic. */
interface Known {
  readonly stream: string;
  seq: number;
  readonly versions: KeyVersions;
  bytes: number;
}

/**
 * The newest version of each key, for topics to which this instance publishes with keys and
 * versions. Read once from the topic's messages and its base, then kept up to date. Bounded: the
 * least recently used topics are dropped and read again.
 */
export class VersionsOfKeys {
  private readonly byTopic = new Map<string, Known>();
  private bytes = 0;
  /** How often everything was forgotten. */
  private forgotten = 0;

  constructor(private readonly log: Messages) {}

  /** The versions at `head`, as far as its messages still exist. */
  async at(topic: string, head: KnownHead): Promise<KeyVersions> {
    const { stream, seq } = head;
    const known = this.knownIn(topic, stream);
    // A later state means that the head was overtaken, and an append there would fail.
    if (known !== undefined && known.seq >= seq) return known.versions;
    const { forgotten } = this;
    const { lists, isWhole } = await this.since(topic, head, known?.seq ?? 0);
    const now = this.knownIn(topic, stream);
    // The topic was evicted during the read.
    if (!isWhole && known !== undefined && now === undefined) return this.at(topic, head);
    const versions = (isWhole ? undefined : now?.versions) ?? new KeyVersions();
    for (const [key, version] of lists.flat()) raise(versions, key, version);
    if (forgotten === this.forgotten && (now?.seq ?? -1) < seq)
      this.put(topic, { stream, seq, versions, bytes: 0 });
    return versions;
  }

  /** Applies a message that was appended here or received, if it is the next one. */
  follow(topic: string, head: KnownHead & { readonly versions?: readonly KeyVersion[] | undefined }): void {
    const known = this.byTopic.get(topic);
    if (known?.stream !== head.stream || head.refs[0] !== known.seq) return;
    for (const [key, version] of head.versions ?? []) raise(known.versions, key, version);
    this.put(topic, { ...known, seq: head.seq });
  }

  /** Forgets everything, because the store may have been rolled back. */
  forget(): void {
    this.byTopic.clear();
    this.bytes = 0;
    this.forgotten += 1;
  }

  private knownIn(topic: string, stream: string): Known | undefined {
    const known = this.byTopic.get(topic);
    return known?.stream === stream ? known : undefined;
  }

  /** The versions in the messages after `seq`, oldest first; `isWhole` if they are complete. */
  private async since(
    topic: string,
    head: KnownHead,
    seq: number,
  ): Promise<{ readonly lists: (readonly KeyVersion[])[]; readonly isWhole: boolean }> {
    const lists: (readonly KeyVersion[])[] = [];
    const last = head.seq === 0 ? undefined : await this.log.get(topic, head.seq);
    if (last === undefined) return { lists, isWhole: head.seq === 0 };
    const { base } = head;
    let left = head.tail;
    for await (const message of this.log.back(topic, last, () => left)) {
      if (message.seq === seq) return { lists: lists.toReversed(), isWhole: false };
      if (base !== undefined && message.top <= base.offset) break;
      lists.push(message.versions ?? []);
      if (message.anew === true) return { lists: lists.toReversed(), isWhole: true };
      left -= 1;
    }
    if (base !== undefined) lists.push(...(await this.inBase(topic, base.offset, base.seqs)));
    return { lists: lists.toReversed(), isWhole: seq === 0 };
  }

  private async inBase(topic: string, offset: number, seqs: readonly number[]) {
    const parts = await Promise.all(seqs.map((seq) => this.log.get(topic, seq)));
    const own = parts.filter((part): part is StoredMessage => part?.top === offset);
    return own.map(({ versions = [] }) => versions);
  }

  private put(topic: string, known: Known): void {
    this.remove(topic);
    known.bytes = known.versions.byteLength + known.versions.size * overheadBytes;
    this.byTopic.set(topic, known);
    this.bytes += known.bytes;
    for (const oldest of this.byTopic.keys()) {
      if (this.byTopic.size <= limits.topics && this.bytes <= limits.bytes) return;
      if (oldest !== topic) this.remove(oldest);
    }
  }

  private remove(topic: string): void {
    this.bytes -= this.byTopic.get(topic)?.bytes ?? 0;
    this.byTopic.delete(topic);
  }
}

function raise(versions: KeyVersions, key: string, version: number): void {
  if (!versions.isStale(key, version)) versions.set(key, version);
}
