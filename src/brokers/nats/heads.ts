import type { Head, Place } from './stored-message.js';

/** The last message of a topic that is known here. */
export interface KnownHead extends Head, Place {}

/** The ends of the topics that this instance published or read last; bounded, the longest unused go first. */
export class Heads {
  private readonly byTopic = new Map<string, KnownHead>();

  constructor(private readonly most: number) {}

  get(topic: string): KnownHead | undefined {
    return this.byTopic.get(topic);
  }

  /** It was used just now. */
  touch(topic: string): void {
    const known = this.byTopic.get(topic);
    if (known === undefined) return;
    this.byTopic.delete(topic);
    this.byTopic.set(topic, known);
  }

  /** Remembers a head if it is newer than what is known. */
  note(topic: string, head: KnownHead): void {
    const known = this.byTopic.get(topic);
    if (known?.stream === head.stream && known.seq > head.seq) return;
    const { epoch, life, lineage, top, version, keyed, rules, latest, refs, base, tail, stream, seq } = head;
    this.byTopic.delete(topic);
    // Without the publications, which may be large.
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
    if (this.byTopic.size <= this.most) return;
    for (const oldest of this.byTopic.keys()) {
      this.byTopic.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.byTopic.clear();
  }
}
