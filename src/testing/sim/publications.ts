import type { HistoryRules, LatestRule, BrokerPublishOptions } from '../../core/ports/broker.js';
import { latestLimits } from '../../core/stream/latest.js';
import { recoveryLimits } from '../../core/stream/following.js';
import type { Position } from '../../protocol/position.js';
import { Lineages } from '../lineages.js';

/** One publication as passed to the broker. */
export interface Published {
  readonly offset: number;
  /** JSON text. */
  readonly text: string;
  readonly key: string | undefined;
  readonly version: number | undefined;
  readonly removed: true | undefined;
  readonly atMs: number;
}

/** Everything ever published, by topic and epoch: the reference for what peers received. */
export class Publications {
  private readonly streams = new Map<string, Published[]>();
  private readonly epochs = new Map<string, string>();
  private readonly lineages = new Lineages();

  /** Starts the topic's stream as `epoch`. */
  began(topic: string, epoch: string): void {
    if (this.epochs.get(topic) === epoch) return;
    this.epochs.set(topic, epoch);
    this.streams.set(nameOf(topic, epoch), []);
    this.lineages.begin(topic, epoch);
  }

  /** Continues the topic's stream as `epoch`, with only the publications up to `end`. */
  wentBack(topic: string, epoch: string, end: number): void {
    const before = this.top(topic);
    if (before === undefined) return;
    this.streams.set(nameOf(topic, epoch), this.of(topic, before.epoch).slice(0, end));
    this.epochs.set(topic, epoch);
    this.lineages.goOn(topic, epoch, end);
  }

  /** Number of the topic's publications at a given time. */
  countAt(topic: string, ms: number): number {
    const { epoch } = this.top(topic) ?? {};
    return epoch === undefined ? 0 : this.of(topic, epoch).filter(({ atMs }) => atMs <= ms).length;
  }

  /**
   * Whether `epoch` has, or had, the same publications up to a position as the position's own
   * epoch.
   */
  isPastOf(topic: string, { epoch: before, offset }: Position, epoch: string): boolean {
    if (offset === 0)
      return this.streams.has(nameOf(topic, before)) && this.streams.has(nameOf(topic, epoch));
    const last = this.find(topic, before, offset);
    return last !== undefined && last === this.find(topic, epoch, offset);
  }

  /** Whether the topic's stream has the same publications up to a position. */
  continues(topic: string, { epoch, offset }: Position): boolean {
    const top = this.top(topic);
    return top !== undefined && this.lineages.has(topic, { epoch, offset }, top);
  }

  /** Ends the topic's stream; its publications stay recorded here. */
  lost(topic: string): void {
    this.epochs.delete(topic);
  }

  /** Assigns the next position of the topic. */
  add(topic: string, text: string, { key, version, remove }: BrokerPublishOptions, atMs: number): Position {
    const epoch = this.epochs.get(topic);
    if (epoch === undefined) throw new Error(`The stream of ${topic} has not begun`);
    const all = this.of(topic, epoch);
    const offset = all.length + 1;
    all.push({ offset, text, key, version, removed: remove, atMs });
    return { epoch, offset };
  }

  /** Whether the topic already had this or a newer version of the key. [L-6.6] */
  isStale(topic: string, { key, version }: BrokerPublishOptions): boolean {
    const { epoch } = this.top(topic) ?? {};
    if (epoch === undefined || version === undefined) return false;
    return this.of(topic, epoch).some((each) => each.key === key && (each.version ?? -Infinity) >= version);
  }

  /** The end of the topic's stream; `undefined` if it has none. */
  top(topic: string): Position | undefined {
    const epoch = this.epochs.get(topic);
    return epoch === undefined ? undefined : { epoch, offset: this.of(topic, epoch).length };
  }

  /** Whether such a position exists or existed. */
  has(topic: string, { epoch, offset }: Position): boolean {
    const all = this.streams.get(nameOf(topic, epoch));
    return all !== undefined && offset <= all.length;
  }

  find(topic: string, epoch: string, offset: number): Published | undefined {
    return this.of(topic, epoch)[offset - 1];
  }

  /** Data of all publications up to a position. */
  upTo(topic: string, { epoch, offset }: Position): unknown[] {
    return this.of(topic, epoch)
      .slice(0, offset)
      .map(({ text }) => JSON.parse(text) as unknown);
  }

  /** The latest values of a topic at a position, as JSON text; `undefined` if there are none. */
  latest(topic: string, { epoch, offset }: Position, rule: LatestRule): string | undefined {
    const all = this.of(topic, epoch).slice(0, offset);
    const last = all.at(-1);
    if (rule === 'last') return last?.removed === true ? undefined : last?.text;
    const fields = this.keyed(topic, { epoch, offset }).map(
      ({ key, text }) => `${JSON.stringify(key)}:${text}`,
    );
    return all.length === 0 ? undefined : `{${fields.join(',')}}`;
  }

  /** The last publication of each key at a position, in their order, within the limits. [L-6.5] */
  keyed(topic: string, { epoch, offset }: Position): readonly Published[] {
    const byKey = new Map<string, Published>();
    let bytes = 0;
    const forget = (key: string): void => {
      bytes -= byKey.get(key)?.text.length ?? 0;
      byKey.delete(key);
    };
    for (const each of this.of(topic, epoch).slice(0, offset)) {
      if (each.key === undefined) continue;
      forget(each.key);
      if (each.removed === true) continue;
      byKey.set(each.key, each);
      bytes += each.text.length;
      for (const oldest of byKey.keys()) {
        const { keys, bytes: most } = latestLimits;
        if (byKey.size > keys || (bytes > most && byKey.size > 1)) forget(oldest);
        else break;
      }
    }
    return [...byKey.values()];
  }

  /** Every state that the keys of a topic ever had, in any epoch, the newest first. */
  states(topic: string): (readonly Published[])[] {
    return this.epochsOf(topic).flatMap((epoch) =>
      [undefined, ...this.of(topic, epoch)]
        .map((_, offset) => this.keyed(topic, { epoch, offset }))
        .toReversed(),
    );
  }

  /** Whether the topic ever had this data under this key. */
  had(topic: string, key: string, text: string): boolean {
    return this.epochsOf(topic).some((epoch) =>
      this.of(topic, epoch).some((each) => each.key === key && each.text === text),
    );
  }

  /** How often the topic has this data, in the epoch that has it most often. */
  timesInOneStream(topic: string, text: string): number {
    const times = (epoch: string): number =>
      this.of(topic, epoch).filter((each) => each.text === text).length;
    return Math.max(0, ...this.epochsOf(topic).map(times));
  }

  /** Whether everything after `since` is available at this time. */
  recoverable(topic: string, since: Position, history: HistoryRules | undefined, nowMs: number): boolean {
    const top = this.top(topic);
    if (top === undefined || !this.continues(topic, since)) return false;
    return this.areWithin(topic, { ...since, epoch: top.epoch }, history, nowMs);
  }

  /**
   * Whether everything that the epoch has, or had, after `since` is within the limits of the
   * history and of a recovery.
   */
  areWithin(topic: string, since: Position, history: HistoryRules | undefined, nowMs: number): boolean {
    const missed = this.of(topic, since.epoch).slice(since.offset);
    if (missed.length === 0) return true;
    if (history === undefined || missed.length > Math.min(history.size, recoveryLimits.count)) return false;
    const bytes = missed.reduce((sum, { text }) => sum + text.length, 0);
    if (bytes > Math.min(history.maxBytes, recoveryLimits.bytes)) return false;
    return missed.every(({ atMs }) => nowMs - atMs <= history.ttlMs);
  }

  /** Whether more was published since then than one recovery may send. [L-5.4] */
  tooMuchSince(topic: string, { epoch, offset }: Position): boolean {
    const missed = this.of(topic, epoch).slice(offset);
    const bytes = missed.reduce((sum, { text }) => sum + text.length, 0);
    return missed.length > recoveryLimits.count || bytes > recoveryLimits.bytes;
  }

  /** The newest first. */
  private epochsOf(topic: string): string[] {
    const start = nameOf(topic, '');
    const names = [...this.streams.keys()].filter((name) => name.startsWith(start));
    return names.map((name) => name.slice(start.length)).toReversed();
  }

  private of(topic: string, epoch: string): Published[] {
    return this.streams.get(nameOf(topic, epoch)) ?? [];
  }
}

function nameOf(topic: string, epoch: string): string {
  return `${topic} ${epoch}`;
}
