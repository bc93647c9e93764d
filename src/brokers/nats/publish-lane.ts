import { Buffer } from 'node:buffer';
import type { Published, PublishOptions } from '../../core/ports/broker.js';
import type { Clock } from '../../core/ports/clock.js';
import type { KnownHead } from './heads.js';
import { type Batch, compose } from './compose.js';
import type { Keeper } from './keeper.js';
import { idOf } from './message-id.js';
import { publishFailure } from './nats-refusal.js';
import type { TopicLog } from './topic-log.js';

/** One publication that waits for its turn. */
export interface Job {
  readonly data: string;
  readonly options: PublishOptions;
  /** After this it is not begun any more: whoever waited has been told that it failed. */
  readonly dueMs: number;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: unknown) => void;
}

export interface LaneEvents {
  /** Nothing waits any more. */
  idle(): void;
  askForTurn(): void;
  /** How long another instance was promised a turn. */
  waitMs(): number;
  /** Bytes of publications that fit into one message. */
  roomBytes(): number;
}

/** What goes into one message at most. */
const batchLimits = { count: 256, characters: 131_072 } as const;
/** Pauses after another instance was faster: the first, and the longest. */
const pauses = { firstMs: 1, maxMs: 16 } as const;
/** Times that another instance was faster before a turn is asked for. */
const patience = 2;

/**
 * The publications of one topic on this instance, one message under way at a time, so that they do not overtake each
 * other. What comes meanwhile goes together into the next message: the more is published, the fewer messages it takes.
 *
 * Who appended last knows first what the next message comes after, so that one instance could keep all others from a topic.
 * One that was overtaken too often asks for a turn, and the others wait a moment before their next message.
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
    // What is published in the same turn goes together.
    await undefined;
    while (this.waiting.length > 0) {
      await this.pause(this.events.waitMs());
      const jobs = this.take();
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

  /** The next that go together: those with the same rules, and one with an idempotency key by itself. */
  private take(): Job[] {
    const now = this.clock.now();
    const jobs: Job[] = [];
    let characters = 0;
    const roomBytes = this.events.roomBytes();
    // No character has more than three bytes.
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
      // What is suppressed is told the end of the topic, which must be the real one.
      if (batch.isAnyStale && !fresh) head = undefined;
      else if (await this.attempt(jobs, head, batch)) return;
      else {
        const known: KnownHead | undefined = this.log.heads.get(this.topic);
        const { stream, seq: overtaken }: KnownHead = head;
        // Where we are subscribed, what overtook us may have told its place already.
        head = known?.stream === stream && known.seq > overtaken ? known : undefined;
        fresh = false;
        if (++overtakings % patience === 0) this.events.askForTurn();
        await this.pause(pauseMs * this.clock.random());
        pauseMs = Math.min(pauses.maxMs, pauseMs * 2);
      }
    }
    throw new Error('Too many publish to the topic at once.');
  }

  /** `false` when another instance was faster. */
  private async attempt(
    jobs: readonly Job[],
    head: KnownHead,
    { content, answers }: Batch,
  ): Promise<boolean> {
    const key = jobs[0]?.options.idempotencyKey;
    const id = key === undefined ? undefined : idOf(this.topic, key);
    if (content === undefined) {
      // Nothing to store; but a duplicate is to be told the place of the first.
      if (id !== undefined && (await this.wasFirst(jobs, head, id))) return true;
    } else {
      const appended = await this.log.append(this.topic, content, head, id);
      if (appended === 'overtaken') return false;
      if ('duplicateOf' in appended) {
        await this.answerDuplicate(jobs, appended.duplicateOf);
        return true;
      }
      this.keeper.appended(this.topic, appended);
    }
    jobs.forEach(({ resolve }, i) => resolve(answers[i] as Published));
    return true;
  }

  /** Asks the server whether it knows the id, by an append that cannot succeed. */
  private async wasFirst(jobs: readonly Job[], head: KnownHead, id: string): Promise<boolean> {
    const probe = { ...head, publications: [], versions: [], kept: false, remembered: false };
    const never = { stream: head.stream, seq: Number.MAX_SAFE_INTEGER };
    const answer = await this.log.append(this.topic, probe, never, id);
    if (typeof answer === 'string' || !('duplicateOf' in answer)) return false;
    await this.answerDuplicate(jobs, answer.duplicateOf);
    return true;
  }

  private async answerDuplicate(jobs: readonly Job[], seq: number): Promise<void> {
    // So much may have been published since that the first one is gone; the end of the topic is behind it, in any case.
    const first = (await this.log.get(this.topic, seq)) ?? (await this.log.end(this.topic));
    const { epoch, top: offset } = first;
    for (const { resolve } of jobs) resolve({ epoch, offset, suppressed: 'duplicate' });
  }

  private async pause(ms: number): Promise<void> {
    if (ms <= 0) return;
    await new Promise<void>((resolve) => {
      this.clock.after(ms, resolve);
    });
  }
}

/** Bytes that a publication takes in a message: its data, and its entry in the head. */
function sizeOf({ data, options: { key = '', version } }: Job): number {
  const keyBytes = Buffer.byteLength(key);
  return Buffer.byteLength(data) + keyBytes + 40 + (version === undefined ? 0 : keyBytes + 24);
}

function hasKeyVersion({ options: { key, version } }: Job): boolean {
  return key !== undefined && version !== undefined;
}

function goTogether(one: PublishOptions, other: PublishOptions): boolean {
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
