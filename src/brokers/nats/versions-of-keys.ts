import { KeyVersions } from '../../core/stream/key-versions.js';
import type { KnownHead } from './heads.js';
import type { KeyVersion, StoredMessage } from './stored-message.js';

const limits = { topics: 10_000, bytes: 33_554_432 } as const;
/** What a key costs beside its bytes, about. */
const overheadBytes = 64;

/** Where the messages of the topics are. */
interface Messages {
  get(topic: string, seq: number): Promise<StoredMessage | undefined>;
  back(topic: string, from: StoredMessage, want: () => number): AsyncIterable<StoredMessage>;
}

/** The versions as they are after one message of a topic. */
interface Known {
  readonly stream: string;
  seq: number;
  readonly versions: KeyVersions;
  bytes: number;
}

/**
 * The newest version of each key of the topics that this instance publishes to with keys and versions: read from the
 * topic's messages and its base once, then kept up with. Bounded; the longest unused go first, and are read again.
 */
export class VersionsOfKeys {
  private readonly byTopic = new Map<string, Known>();
  private bytes = 0;
  /** Times that everything was forgotten. */
  private forgotten = 0;

  constructor(private readonly log: Messages) {}

  /** The versions behind `head`; as far as its messages are still there. */
  async at(topic: string, head: KnownHead): Promise<KeyVersions> {
    const { stream, seq } = head;
    const known = this.knownIn(topic, stream);
    // What is further than the head has overtaken it: nothing can be appended there.
    if (known !== undefined && known.seq >= seq) return known.versions;
    const { forgotten } = this;
    const { lists, isWhole } = await this.since(topic, head, known?.seq ?? 0);
    const now = this.knownIn(topic, stream);
    // It was dropped for want of room.
    if (!isWhole && known !== undefined && now === undefined) return this.at(topic, head);
    const versions = (isWhole ? undefined : now?.versions) ?? new KeyVersions();
    for (const [key, version] of lists.flat()) raise(versions, key, version);
    if (forgotten === this.forgotten && (now?.seq ?? -1) < seq)
      this.put(topic, { stream, seq, versions, bytes: 0 });
    return versions;
  }

  /** A message was appended here or came in: where it is the next one, the versions go on with it. */
  follow(topic: string, head: KnownHead & { readonly versions?: readonly KeyVersion[] | undefined }): void {
    const known = this.byTopic.get(topic);
    if (known?.stream !== head.stream || head.refs[0] !== known.seq) return;
    for (const [key, version] of head.versions ?? []) raise(known.versions, key, version);
    this.put(topic, { ...known, seq: head.seq });
  }

  /** The store may have gone back. */
  forget(): void {
    this.byTopic.clear();
    this.bytes = 0;
    this.forgotten += 1;
  }

  private knownIn(topic: string, stream: string): Known | undefined {
    const known = this.byTopic.get(topic);
    return known?.stream === stream ? known : undefined;
  }

  /** What the messages behind `seq` say, oldest first; `isWhole` where they say all that there is. */
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
