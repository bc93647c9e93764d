import type { Head, Place } from './stored-message.js';

/** The last known message of a topic. */
export interface KnownHead extends Head, Place {}

/**
 * The ends of the topics that this instance published or read recently. Bounded: the least recently
 * used are dropped.
 */
export class Heads {
  private readonly byTopic = new Map<string, KnownHead>();

  constructor(private readonly maxTopics: number) {}

  get(topic: string): KnownHead | undefined {
    return this.byTopic.get(topic);
  }

  /** Marks a topic as just used. */
  touch(topic: string): void {
    const known = this.byTopic.get(topic);
    if (known === undefined) return;
    this.byTopic.delete(topic);
    this.byTopic.set(topic, known);
  }

  /** Remembers a head if it is newer than the known one. */
  note(topic: string, head: KnownHead): void {
    const known = this.byTopic.get(topic);
    if (known?.stream === head.stream && known.seq > head.seq) return;
    const { epoch, life, lineage, top, version, keyed, rules, latest, refs, base, tail, stream, seq } = head;
    this.byTopic.delete(topic);
    // Leaves out the publications, which may be large.
    this.byTopic.set(topic, {
      epoch,
      life,
      lineage,
      top,
      version,
      keyed,
      rules,
      latest,
      refs,
      base,
      tail,
      stream,
      seq,
    });
    if (this.byTopic.size <= this.maxTopics) return;
    for (const oldest of this.byTopic.keys()) {
      this.byTopic.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.byTopic.clear();
  }
}
