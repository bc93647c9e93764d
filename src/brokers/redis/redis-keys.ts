import { hashSlot, slotCount } from './hash-slot.js';

/** The keys of a topic, all in one hash slot. */
export interface TopicKeys {
  /** Hash: epoch, offset and the script's counters. */
  readonly meta: string;
  /** Stream: the history. */
  readonly history: string;
  /** Hash: the latest publication, or the latest one per key. */
  readonly latest: string;
  /** Sorted set: the keys of `latest` by the time of their last publication. */
  readonly order: string;
  /** Two hashes: the newest version of each key, for keys published recently and earlier. */
  readonly versions: readonly [string, string];
}

let tags: readonly string[] | undefined;

/** A text in the given hash slot. */
function tagOf(slot: number): string {
  tags ??= slotTags();
  return tags[slot] ?? '';
}

function slotTags(): string[] {
  const found: string[] = [];
  for (let [i, left] = [0, slotCount]; left > 0; i++) {
    const slot = hashSlot(String(i));
    if (found[slot] !== undefined) continue;
    found[slot] = String(i);
    left -= 1;
  }
  return found;
}

const prefixPattern = /^[\w.:~-]{1,64}$/;

/** Names all keys and channels of a broker. Every name begins with the prefix. */
export class RedisKeys {
  /** Channel for signals between instances. */
  readonly signals: string;
  private readonly channelPrefix: string;

  /** @throws Error if the prefix is not 1 to 64 characters of `A-Za-z0-9_.:~-` */
  constructor(
    readonly prefix: string,
    database: number,
  ) {
    if (!prefixPattern.test(prefix))
      throw new Error('RedisBroker: "prefix" must be 1 to 64 characters of A-Za-z0-9_.:~-, such as "live:".');
    // Unlike keys, channels are shared by all databases of a server.
    this.channelPrefix = database === 0 ? prefix : `${prefix}${String(database)}:`;
    this.signals = `${this.channelPrefix}signals`;
  }

  /**
   * The store's life record; in a cluster each slot has its own. No topic has a key of this name.
   */
  life(slot?: number): string {
    return slot === undefined ? `${this.prefix}life` : `${this.prefix}life:{${tagOf(slot)}}`;
  }

  /** The keys of a topic. */
  of(topic: string): TopicKeys {
    const meta = `${this.prefix}{${encodeTopic(topic)}}`;
    return {
      meta,
      history: `${meta}:h`,
      latest: `${meta}:l`,
      order: `${meta}:o`,
      versions: [`${meta}:v`, `${meta}:w`],
    };
  }

  /** The key that stores the result of a publish with an idempotency key. */
  idempotency(topic: string, key: string): string {
    return `${this.prefix}{${encodeTopic(topic)}}:i:${encodeTopic(key)}`;
  }

  channel(topic: string): string {
    return `${this.channelPrefix}{${encodeTopic(topic)}}`;
  }

  /** The channel on which an instance checks that its own messages arrive. */
  probe(instance: string): string {
    return `${this.channelPrefix}probe:${instance}`;
  }
}

/**
 * Encodes any text as part of a key. Letters, digits and `_.~/-` stay, so topics are readable in
 * Redis. Every other UTF-16 unit becomes `%` and four hex digits, even half a surrogate pair. The
 * encoding is injective and never contains `{`, `}` or a space.
 */
export function encodeTopic(text: string): string {
  // Redis ignores an empty hash tag, and the topic's keys would lie in different slots.
  if (text === '') return '%';
  return text.replace(/[^\w.~/-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
