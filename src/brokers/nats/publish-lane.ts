import { Buffer } from 'node:buffer';
import type { Published, BrokerPublishOptions } from '../../core/ports/broker.js';
import type { Position } from '../../protocol/position.js';
import type { Clock } from '../../core/ports/clock.js';
import type { KnownHead } from './heads.js';
import { type Batch, compose } from './compose.js';
import type { Keeper } from './keeper.js';
import { idOf } from './message-id.js';
import { publishFailure } from './nats-refusal.js';
import type { TopicLog } from './topic-log.js';

/** A publication that waits to be sent. */
export interface Job {
  readonly data: string;
  readonly options: BrokerPublishOptions;
  /** Not sent after this time, because its caller has already received the error. */
  readonly dueMs: number;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: unknown) => void;
}

export interface LaneEvents {
  /** No publication is waiting. */
  idle(): void;
  askForTurn(): void;
  /** Milliseconds for which another instance was promised a turn. */
  waitMs(): number;
  /** Bytes of publications that fit into one message. */
  roomBytes(): number;
}

/** Limits of one message. */
const batchLimits = { count: 256, characters: 131_072 } as const;
/** Pauses after another instance was faster, in milliseconds. */
const pauses = { firstMs: 1, maxMs: 16 } as const;
/** How often another instance may be faster before this one requests a turn. */
const patience = 2;

/**
 * Sends one topic's publications of this instance, with one message in flight at a time, which
 * keeps their order. Later publications share the next message, so a higher rate needs fewer
 * messages.
 *
 * The last instance to append is the first to know the new head, and could lock all others out. An
 * instance overtaken too often requests a turn, and the others pause before their next message.
 */
export class PublishLane {
  private readonly waiting: Job[] = [];
  private running = false;

  constructor(
    private readonly topic: string,
    private readonly log: TopicLog,
    private readonly keeper: Keeper,
    private readonly clock: Clock,
    private readonly events: LaneEvents,
  ) {}

  add(job: Job): void {
    this.waiting.push(job);
    if (this.running) return;
    this.running = true;
    void this.run();
  }

  private async run(): Promise<void> {
    // Publications of one tick share a message.
    await undefined;
    while (this.waiting.length > 0) {
      await this.pause(this.events.waitMs());
      const jobs = this.nextBatch();
      if (jobs.length === 0) continue;
      try {
        await this.publish(jobs);
      } catch (error) {
        const failure = publishFailure(error, jobs.length === 1);
        for (const { reject } of jobs) reject(failure);
      }
    }
    this.running = false;
    this.events.idle();
  }

  /**
   * The next publications that can share a message: those with equal rules. One with an idempotency
   * key goes alone.
   */
  private nextBatch(): Job[] {
    const now = this.clock.now();
    const jobs: Job[] = [];
    let characters = 0;
    const roomBytes = this.events.roomBytes();
    // No UTF-16 unit takes more than three bytes.
    const isNarrow = roomBytes < batchLimits.characters * 3;
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      const [first] = jobs;
      characters += isNarrow ? sizeOf(next) : next.data.length;
      const fits =
        jobs.length < batchLimits.count && characters <= Math.min(batchLimits.characters, roomBytes);
      if (first !== undefined && !(fits && goTogether(first.options, next.options))) break;
      this.waiting.shift();
      if (next.dueMs > now) jobs.push(next);
      if (next.options.idempotencyKey !== undefined && jobs.length > 0) break;
    }
    return jobs;
  }

  private async publish(jobs: readonly Job[]): Promise<void> {
    const [first] = jobs;
    if (first === undefined) return;
    let pauseMs: number = pauses.firstMs;
    let overtakings = 0;
    let head: KnownHead | undefined = this.log.heads.get(this.topic);
    let fresh = false;
    while (this.clock.now() < first.dueMs) {
      if (head === undefined) {
        head = await this.log.end(this.topic);
        fresh = true;
      }
      const base = await this.keeper.baseFor(this.topic, head, first.options.latest);
      const versions = jobs.some(hasKeyVersion) ? await this.log.versions.at(this.topic, head) : undefined;
      const batch = compose(head, jobs, base, versions);
      // A suppressed publication reports the end of the topic, so the head must be up to date.
      if (batch.isAnyStale && !fresh) head = undefined;
      else if (await this.attempt(jobs, head, batch)) return;
      else {
        const known: KnownHead | undefined = this.log.heads.get(this.topic);
        const { stream, seq: overtaken }: KnownHead = head;
        // If subscribed, we may already have received the message that was faster.
        head = known?.stream === stream && known.seq > overtaken ? known : undefined;
        fresh = false;
        if (++overtakings % patience === 0) this.events.askForTurn();
        await this.pause(pauseMs * this.clock.random());
        pauseMs = Math.min(pauses.maxMs, pauseMs * 2);
      }
    }
    throw new Error('Too many instances publish to the topic at the same time.');
  }

  /** Returns `false` if another instance was faster. */
  private async attempt(
    jobs: readonly Job[],
    head: KnownHead,
    { content, answers }: Batch,
  ): Promise<boolean> {
    const key = jobs[0]?.options.idempotencyKey;
    const id = key === undefined ? undefined : idOf(this.topic, key);
    if (content === undefined) {
      // There is nothing to store, but a duplicate must report the position of the first
      // publication.
      if (id !== undefined && (await this.wasFirst(jobs, head, id))) return true;
    } else {
      const appended = await this.log.append(this.topic, content, head, id);
      if (appended === 'overtaken') return false;
      if ('duplicateOf' in appended) {
        await this.answerDuplicate(jobs, appended.duplicateOf, id);
        return true;
      }
      this.keeper.appended(this.topic, appended);
    }
    jobs.forEach(({ resolve }, i) => resolve(answers[i] as Published));
    return true;
  }

  /** Checks whether the server knows the id, by an append that cannot succeed. */
  private async wasFirst(jobs: readonly Job[], head: KnownHead, id: string): Promise<boolean> {
    const probe = { ...head, publications: [], versions: [], kept: false, remembered: false };
    const never = { stream: head.stream, seq: Number.MAX_SAFE_INTEGER };
    const answer = await this.log.append(this.topic, probe, never, id);
    if (typeof answer === 'string' || !('duplicateOf' in answer)) return false;
    await this.answerDuplicate(jobs, answer.duplicateOf, id);
    return true;
  }

  private async answerDuplicate(jobs: readonly Job[], seq: number, id = ''): Promise<void> {
    const first = this.log.firsts.get(id) ?? (await this.stored(seq));
    for (const { resolve } of jobs) resolve({ ...first, suppressed: 'duplicate' });
  }

  /** The position of a publication, or 0 if it has been dropped: a later one would hide a loss. */
  private async stored(seq: number): Promise<Position> {
    const message = await this.log.get(this.topic, seq);
    if (message !== undefined) return { epoch: message.epoch, offset: message.top };
    return { epoch: (await this.log.end(this.topic)).epoch, offset: 0 };
  }

  private async pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    await new Promise<void>((resolve) => {
      this.clock.after(ms, resolve);
    });
  }
}

/** Bytes of a publication in a message: its data and its entry in the head. */
function sizeOf({ data, options: { key = '', version } }: Job): number {
  const keyBytes = Buffer.byteLength(key);
  return Buffer.byteLength(data) + keyBytes + 40 + (version === undefined ? 0 : keyBytes + 24);
}

function hasKeyVersion({ options: { key, version } }: Job): boolean {
  return key !== undefined && version !== undefined;
}

function goTogether(one: BrokerPublishOptions, other: BrokerPublishOptions): boolean {
  const [a, b] = [one.history, other.history];
  return (
    one.idempotencyKey === undefined &&
    other.idempotencyKey === undefined &&
    one.latest === other.latest &&
    a?.size === b?.size &&
    a?.ttlMs === b?.ttlMs &&
    a?.maxBytes === b?.maxBytes
  );
}
