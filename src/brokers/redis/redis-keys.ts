import { hashSlot, slotCount } from './hash-slot.js';

/** What of a topic stands in Redis, all in one hash slot. */
export interface TopicKeys {
  /** Hash: epoch, offset and what the script keeps count of. */
  readonly meta: string;
  /** Stream: the history. */
  readonly history: string;
  /** Hash: what was published last, or last of each key. */
  readonly latest: string;
  /** Sorted set: the keys of `latest`, by when each was heard of last. */
  readonly order: string;
  /** Two hashes: the newest version of each key, of those heard of last and of those before. */
  readonly versions: readonly [string, string];
}

let tags: readonly string[] | undefined;

/** A text whose hash slot this is. */
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

/** The names of everything that a broker has in Redis: keys and channels. Nothing outside of the prefix is ever named. */
export class RedisKeys {
  /** Words between instances. */
  readonly signals: string;
  private readonly channelPrefix: string;

  /** @throws Error when the prefix is not 1 to 64 of `A-Za-z0-9_.:~-` */
  constructor(
    readonly prefix: string,
    database: number,
  ) {
    if (!prefixPattern.test(prefix))
      throw new Error('RedisBroker: "prefix" must be 1 to 64 of A-Za-z0-9_.:~-, such as "live:".');
    // Channels, unlike keys, are shared by all databases of a server.
    this.channelPrefix = database === 0 ? prefix : `${prefix}${String(database)}:`;
    this.signals = `${this.channelPrefix}signals`;
  }

  /** The record of the store's life; of a cluster, each slot has its own. No key of a topic is named so. */
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

  /** Where the result of a publish with an idempotency key is kept. */
  idempotency(topic: string, key: string): string {
    return `${this.prefix}{${encodeTopic(topic)}}:i:${encodeTopic(key)}`;
  }

  channel(topic: string): string {
    return `${this.channelPrefix}{${encodeTopic(topic)}}`;
  }

  /** Where an instance looks whether its own messages come back. */
  probe(instance: string): string {
    return `${this.channelPrefix}probe:${instance}`;
  }
}

/**
 * Any text as a part of a key: letters, digits and `_.~/-` stand for themselves, so that topics can be read in Redis; every
 * other UTF-16 unit is `%` and four hex digits, also half of a surrogate pair, which UTF-8 would make the same for all. Two
 * texts never have one encoding, and none contains `{`, `}` or a space.
 */
export function encodeTopic(text: string): string {
  // An empty hash tag is none: the keys of the topic would lie in different slots.
  if (text === '') return '%';
  return text.replace(/[^\w.~/-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
