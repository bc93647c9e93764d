import type { AttendanceTable } from '../cluster/shared-attendance.js';
import { type Attendance, everybody } from '../cluster/signal.js';

/** Fields of an instance that runs the hooks of a topic. */
const keepsText = '{"keeps":true}';

/** What one instance has to do with a topic. */
export interface Part {
  /** It has subscribers of the topic. */
  readonly reads: boolean;
  /** It runs the topic's hooks. */
  readonly keeps: boolean;
}

/** Which instances read a topic, and which one keeps it. */
export class OccupancyTable implements AttendanceTable {
  private readonly topics = new Map<string, Map<string, Part>>();

  /** @param onChange - called after the parts of a topic have changed */
  constructor(private readonly onChange: (topic: string) => void) {}

  /** Topics that an instance reads or keeps. */
  names(): string[] {
    return [...this.topics.keys()];
  }

  /** Topics with subscribers on any instance, sorted. */
  read(): string[] {
    return this.names()
      .filter((topic) => this.isRead(topic))
      .toSorted();
  }

  isRead(topic: string): boolean {
    return this.some(topic, 'reads').length > 0;
  }

  /** Keys of the instances that read or keep the topic. More than one keeps it for a short time. */
  some(topic: string, part: keyof Part): string[] {
    const sources: string[] = [];
    for (const [source, parts] of this.topics.get(topic) ?? []) if (parts[part]) sources.push(source);
    return sources;
  }

  /** The part of one instance, as others get it. */
  entry(source: string, topic: string): Attendance {
    const part = this.topics.get(topic)?.get(source);
    if (part === undefined) return [topic, everybody, -1, '{}'];
    return [topic, everybody, Number(part.reads), part.keeps ? keepsText : '{}'];
  }

  of(source: string): Attendance[] {
    return this.names()
      .filter((topic) => this.topics.get(topic)?.has(source) === true)
      .map((topic) => this.entry(source, topic));
  }

  set(source: string, [topic, , connections, fields]: Attendance): void {
    this.put(source, topic, { reads: connections > 0, keeps: connections >= 0 && fields === keepsText });
  }

  /** Sets the part of one instance. One without a part is forgotten. */
  put(source: string, topic: string, part: Part): void {
    const parts = this.topics.get(topic) ?? new Map<string, Part>();
    if (part.reads || part.keeps) parts.set(source, part);
    else parts.delete(source);
    if (parts.size > 0) this.topics.set(topic, parts);
    else this.topics.delete(topic);
    this.onChange(topic);
  }

  replace(source: string, now: readonly Attendance[]): void {
    const present = new Set(now.map(([topic]) => topic));
    const gone = this.of(source).filter(([topic]) => !present.has(topic));
    for (const [topic] of gone) this.put(source, topic, { reads: false, keeps: false });
    for (const each of now) this.set(source, each);
  }
}
