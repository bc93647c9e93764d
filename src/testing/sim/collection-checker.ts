import { collection, type Collection } from '../../client/collection.js';
import type { LiveClient } from '../../client/live-client.js';
import type { Position } from '../../protocol/position.js';
import type { Tell } from './faults.js';
import type { Publications, Published } from './publications.js';

/** How often a collection shows itself, as a page draws frames. */
const frameMs = 5;

interface CheckedTopic {
  readonly name: string;
  /**
   * Whether a client may get only the newest publication of each key. Then keys are of different
   * times until all is quiet.
   */
  readonly merges: boolean;
  /** Milliseconds that the topic keeps a key without a publication. */
  readonly maxKeyAgeMs?: number | undefined;
}

/** Longest time that a snapshot is under way, in milliseconds. */
const snapshotMs = 2_000;

/** What a collection needs from its world. */
interface CollectionWorld {
  readonly publications: Publications;
  readonly tell: Tell;
  now(): number;
  /** How late the client got a publication of the topic at most. */
  lateMs(): number;
  after(ms: number, run: () => void): void;
  note(text: string): void;
}

/**
 * A collection of a topic. What it shows must be the state that the stream had at some position,
 * and the newest one when all is quiet.
 */
export class CollectionChecker {
  private readonly values: Collection;
  private closed = false;
  private shown = '{}';
  /** Whether it shows itself at the next frame. */
  private isDue = false;

  constructor(
    client: LiveClient,
    readonly topic: CheckedTopic,
    private readonly world: CollectionWorld,
  ) {
    const schedule = (run: () => void): void => {
      this.isDue = true;
      world.after(frameMs, () => {
        this.isDue = false;
        run();
      });
    };
    this.values = collection(client, topic.name, { schedule });
    // It rejects if the server refuses the topic.
    this.values.ready.catch(() => {});
    this.values.onChange(({ keys }) => this.look(keys));
  }

  close(): void {
    this.closed = true;
    this.values.close();
  }

  /** All is quiet. */
  checkAtRest(top: Position | undefined): void {
    const { values, topic, world } = this;
    if (this.closed || values.error !== undefined) return;
    const state = top ? world.publications.keyed(topic.name, top) : [];
    const expected = this.visible(state);
    const late = state.filter((each) => this.isAged(each, snapshotMs + world.lateMs()));
    const kept = late.find(({ key = '' }) => values.get(key) !== undefined);
    if (values.stale) world.tell('behind', `a collection of ${topic.name} is stale`);
    else if (this.content !== expected)
      world.tell('behind', `a collection of ${topic.name} is ${this.content}, not ${expected}`);
    else if (kept !== undefined)
      world.tell('behind', `a collection of ${topic.name} keeps ${String(kept.key)}, which is too old`);
    // A key may have left by its age a moment ago.
    else if (this.shown !== this.content && !this.isDue)
      world.tell('application', `a collection of ${topic.name} did not report ${this.content}`);
  }

  private get content(): string {
    return orderedText(this.values.entries());
  }

  /** Whether the topic no longer has a key, and so for this long. */
  private isAged({ atMs }: Published, forMs = 0): boolean {
    return this.world.now() - atMs > (this.topic.maxKeyAgeMs ?? Infinity) + forMs;
  }

  /** The state as text. A key that is too old may have left. */
  private visible(state: readonly Published[]): string {
    return ordered(
      state.filter((each) => this.values.get(each.key ?? '') !== undefined || !this.isAged(each)),
    );
  }

  private look(keys: ReadonlySet<string>): void {
    const { topic, world, content } = this;
    world.note(`a collection of ${topic.name} shows ${content} after ${[...keys].join()}`);
    const unreported = changedKeys(this.shown, content).filter((key) => !keys.has(key));
    this.shown = content;
    if (unreported.length > 0)
      world.tell('application', `a collection of ${topic.name} did not report ${unreported.join()}`);
    const isState = (state: readonly Published[]): boolean => this.visible(state) === content;
    const had = topic.merges
      ? [...this.values].every(([key, value]) =>
          world.publications.had(topic.name, key, JSON.stringify(value)),
        )
      : content === '{}' || world.publications.states(topic.name).some(isState);
    if (!had) world.tell('application', `a collection of ${topic.name} shows ${content}, which never was`);
  }
}

function orderedText(entries: Iterable<readonly [string, unknown]>): string {
  return JSON.stringify(Object.fromEntries([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

function ordered(state: readonly Published[]): string {
  return orderedText(state.map(({ key = '', text }) => [key, JSON.parse(text) as unknown] as const));
}

function changedKeys(before: string, after: string): string[] {
  const [one, other] = [before, after].map((text) => JSON.parse(text) as Record<string, unknown>);
  return Object.keys({ ...one, ...other }).filter(
    (key) => JSON.stringify(one?.[key]) !== JSON.stringify(other?.[key]),
  );
}
