import { Buffer } from 'node:buffer';
import type { LatestRule, Publication } from '../../core/ports/broker.js';
import type { KnownHead } from './heads.js';
import type { NatsEngine } from './nats-engine.js';
import { Latest } from '../../core/stream/latest.js';
import { type Base, encode, type Head, type KeyVersion, type StoredMessage } from './stored-message.js';
import type { StreamReader } from './stream-reader.js';
import type { TopicLog } from './topic-log.js';

/**
 * Maximum bytes of one part of a base, unless the server accepts less, which it does not by
 * default.
 */
const partBytes = 262_144;
/** Maximum topics whose new base no publication has named yet. */
const maxWaiting = 10_000;

/** A base that is stored but not yet named by a message. */
interface Written extends Base {
  readonly epoch: string;
}

/**
 * Keeps the last publication of each key, although the stream keeps a limited number of messages
 * per topic. Before old messages are dropped, it stores their content together as a base, which
 * later messages name. Readers combine the base with the messages since.
 */
export class Keeper {
  private readonly written = new Map<string, Written>();
  private readonly writing = new Map<string, Promise<Error | undefined>>();
  /** How often all bases were forgotten. */
  private forgotten = 0;

  constructor(
    private readonly engine: () => NatsEngine,
    private readonly log: TopicLog,
    private readonly reader: StreamReader,
    private readonly failed: (doing: string, error: unknown) => void,
  ) {}

  /** The base that the message after `head` must name, if there is a newer one than the head's. */
  async baseFor(topic: string, head: KnownHead, latest: LatestRule | undefined): Promise<Base | undefined> {
    if (latest !== 'last-per-key' && head.keyed !== true) return undefined;
    const { messagesPerTopic } = this.engine().stream;
    if (head.tail >= Math.floor((messagesPerTopic * 3) / 4) && !this.isNewer(topic, head)) {
      const failure = await this.write(topic);
      // With the next message the stream would drop a key that no base holds.
      if (failure !== undefined && head.tail >= messagesPerTopic - 2) throw failure;
    }
    return this.isNewer(topic, head) ? this.written.get(topic) : undefined;
  }

  /** Called for each appended message; writes a new base when due. */
  appended(topic: string, message: StoredMessage): void {
    const written = this.written.get(topic);
    if (written !== undefined && (message.base?.offset ?? 0) >= written.offset) this.written.delete(topic);
    // Of several instances, only the one that wrote this message writes the base.
    const isDue =
      message.tail >= Math.floor(this.engine().stream.messagesPerTopic / 4) && message.tail % 16 === 0;
    const needsBase = message.latest === 'last-per-key' || message.keyed === true;
    if (needsBase && isDue && !this.isNewer(topic, message)) void this.write(topic);
  }

  forget(): void {
    this.written.clear();
    this.forgotten += 1;
  }

  private isNewer(topic: string, { epoch, base, top }: Head): boolean {
    const written = this.written.get(topic);
    if (written === undefined || written.epoch !== epoch || written.offset > top) return false;
    return written.offset > (base?.offset ?? 0);
  }

  /** Resolves to the error, or to `undefined` on success. */
  private write(topic: string): Promise<Error | undefined> {
    let writing = this.writing.get(topic);
    if (writing === undefined) {
      writing = this.writeNow(topic)
        .then(() => undefined)
        .catch((error: unknown) => {
          this.failed('keeping the last publication of each key', error);
          return error as Error;
        })
        .finally(() => this.writing.delete(topic));
      this.writing.set(topic, writing);
    }
    return writing;
  }

  private async writeNow(topic: string): Promise<void> {
    const end = await this.log.end(topic);
    const { epoch, life, lineage, top, stream } = end;
    const { forgotten } = this;
    const isPerKey = end.latest === 'last-per-key';
    const remembered = isPerKey ? await this.reader.remembered(topic, end) : new Latest();
    if (top === 0) return;
    // The next reader finds out whether this is permanent.
    if (remembered === undefined) return void (await this.reader.latest(topic));
    const { entries } = remembered;
    const versions = end.keyed === true ? (await this.log.versions.at(topic, end)).entries : [];
    const seqs: number[] = [];
    for (const part of partsOf(entries, versions, Math.min(partBytes, this.engine().roomBytes))) {
      const content = {
        epoch,
        life,
        lineage,
        top,
        refs: [],
        tail: 0,
        ...part,
        kept: false,
        remembered: true,
      };
      seqs.push(await this.engine().stream.keep(stream, topic, encode(content)));
    }
    // The base was written for a store that may have been rolled back since.
    if (forgotten !== this.forgotten) return;
    this.written.set(topic, { epoch, offset: top, seqs });
    if (this.written.size > maxWaiting)
      for (const oldest of this.written.keys()) {
        this.written.delete(oldest);
        break;
      }
    // A concurrent reader may still need the head's own base, so only an older one is dropped.
    const [oldest] = end.base?.seqs ?? [];
    if (oldest !== undefined) await this.engine().stream.forgetKept(stream, topic, oldest);
  }
}

interface Part {
  readonly publications: Publication[];
  readonly times: number[];
  readonly versions: KeyVersion[];
}

/** Splits a base into messages; at least one, because a base needs a message. */
function partsOf(entries: Latest['entries'], versions: readonly KeyVersion[], maxBytes: number): Part[] {
  const parts: Part[] = [newPart()];
  let bytes = 0;
  const partFor = (length: number): Part | undefined => {
    if (bytes + length > maxBytes && bytes > 0) {
      parts.push(newPart());
      bytes = 0;
    }
    bytes += length;
    return parts.at(-1);
  };
  for (const { publication, atMs } of entries) {
    const part = partFor(Buffer.byteLength(publication.data) + (publication.key?.length ?? 0) * 3 + 48);
    part?.publications.push(publication);
    part?.times.push(atMs ?? 0);
  }
  for (const each of versions) partFor(each[0].length * 3 + 24)?.versions.push(each);
  return parts;
}

function newPart(): Part {
  return { publications: [], times: [], versions: [] };
}
