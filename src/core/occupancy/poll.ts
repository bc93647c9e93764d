import type { Broker, Published } from '../ports/broker.js';
import type { Cancel, Clock } from '../ports/clock.js';
import { inTime } from '../ports/deadline.js';
import type { LiveLimits } from '../ports/limits.js';
import type { Observer } from '../ports/observer.js';
import type { PollRules } from '../ports/policy.js';
import type { Position } from '../../protocol/position.js';
import type { PublicationOptions } from '../publish/broker-options.js';
import { settleAll } from '../publish/settle-all.js';
import { SnapshotAt } from '../stream/snapshot-at.js';

/** Publications in flight at once. The engines' clients batch calls of one turn. */
const maxInFlight = 256;

export interface PollParts {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly observer: Observer;
  /** A call of the provider takes at most as long as a snapshot may. */
  readonly limits: Pick<LiveLimits, 'snapshotTimeoutMs'>;
  publish(topic: string, data: unknown, options: PublicationOptions): Promise<Published>;
}

/** A change to publish: a new value of a key, or its removal. */
interface Change {
  readonly key: string | undefined;
  /** `undefined` for a removal. */
  readonly value: unknown;
}

/** The state that readers have: the JSON text of each key, `undefined` for a state without keys. */
type Texts = ReadonlyMap<string | undefined, string>;

/**
 * Asks the provider of a topic for its state again and again, one call at a time, and publishes
 * what differs from the last publications in the broker.
 */
export class Poll {
  private cancel: Cancel | undefined;
  private running = false;
  private on = false;
  /** When the next call is due. */
  private dueMs = 0;
  /** What the broker holds, as long as its position is this one. */
  private known: { readonly at: Position; readonly texts: Texts } | undefined;

  constructor(
    private readonly topic: string,
    private readonly rules: PollRules,
    private readonly parts: PollParts,
  ) {}

  /** Calls at once, or after the rest of the interval if it was on before. */
  start(): void {
    if (this.on) return;
    this.on = true;
    this.plan();
  }

  stop(): void {
    this.on = false;
    this.cancel?.();
  }

  private plan(): void {
    if (!this.on || this.running) return;
    const { clock } = this.parts;
    this.cancel?.();
    this.cancel = clock.after(Math.max(0, this.dueMs - clock.now()), () => void this.round());
  }

  private async round(): Promise<void> {
    const { clock, observer } = this.parts;
    const { everyMs } = this.rules;
    this.running = true;
    // A grid, so that a slow call does not shift all later ones. Missed rounds are left out.
    const startMs = this.dueMs > clock.now() - everyMs ? this.dueMs : clock.now();
    try {
      await this.compare();
    } catch (error) {
      this.known = undefined;
      observer.failed('polling the state of a topic', error);
    }
    this.running = false;
    const rounds = Math.ceil((clock.now() - startMs) / everyMs);
    this.dueMs = startMs + everyMs * Math.max(1, rounds);
    this.plan();
  }

  private async compare(): Promise<void> {
    const { clock, limits } = this.parts;
    const ms = limits.snapshotTimeoutMs;
    const late = (): Error => new Error(`The state was not ready within ${String(ms)} ms`);
    const given = await inTime(clock, ms, this.rules.state(), late);
    const state = given instanceof SnapshotAt ? given.state : given;
    const values = this.valuesOf(state);
    const before = await this.before();
    if (!this.on) return;
    const texts = new Map<string | undefined, string>();
    const changes: Change[] = [];
    for (const [key, value] of values) {
      const text = JSON.stringify(value) as string | undefined;
      if (text === undefined) continue;
      texts.set(key, text);
      if (text !== before.texts.get(key)) changes.push({ key, value });
    }
    for (const key of before.texts.keys()) if (!texts.has(key)) changes.push({ key, value: undefined });
    await this.publish(changes, before.at, texts);
  }

  private valuesOf(state: unknown): Iterable<[string | undefined, unknown]> {
    if (state === undefined) throw new TypeError('snapshot() returned undefined');
    if (!this.rules.byKey) return [[undefined, state]];
    if (typeof state !== 'object' || state === null || Array.isArray(state))
      throw new TypeError('snapshot() of a topic with keys must return an object with a field for each key');
    return Object.entries(state);
  }

  /** What the broker holds now. Another publisher, or a new stream, changes its position. */
  private async before(): Promise<{ readonly at: Position; readonly texts: Texts }> {
    const { topic, known } = this;
    const { broker } = this.parts;
    const top = (await broker.tops([topic])).get(topic);
    if (known !== undefined && top?.offset === known.at.offset && top.epoch === known.at.epoch) return known;
    const { top: at, publications } = await broker.latest(topic);
    return { at, texts: new Map(publications.map(({ key, data }) => [key, data])) };
  }

  private async publish(changes: readonly Change[], before: Position, texts: Texts): Promise<void> {
    let at = before;
    const outcomes = await settleAll(
      changes,
      ({ key, value }) =>
        this.parts.publish(this.topic, value, {
          ...(key !== undefined && { key }),
          ...(value === undefined && { remove: true }),
        }),
      maxInFlight,
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason;
      at = outcome.value;
    }
    // Somebody else's publication in between shows as a position that does not follow.
    const isAlone = at.epoch === before.epoch && at.offset === before.offset + changes.length;
    this.known = isAlone ? { at, texts } : undefined;
  }
}
