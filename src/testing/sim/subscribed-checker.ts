import type { Position } from '../../protocol/position.js';
import type { Received } from '../live-test-client.js';
import type { Tell } from './faults.js';
import type { AnswerRules, Request } from './request.js';
import type { SimTopic } from './sim-topic.js';

/** An answer whose snapshot comes in pages. */
interface Paged {
  readonly position: Position;
  readonly message: Received;
  readonly atMs: number;
  readonly pages: unknown[];
}

/** Milliseconds that a reading of the keys may take. */
const readingMs = 1_000;

/** Compares a `subscribed` answer with the topic: its position, its recovery, its snapshot. */
export class SubscribedChecker {
  /** Answers whose snapshot comes in pages, with the pages so far. [L-6.10] */
  private readonly paged = new Map<string, Paged>();

  constructor(
    private readonly rules: AnswerRules,
    private readonly tell: Tell,
  ) {}

  check(request: Request, message: Received): void {
    const position = this.position(request.topic, message);
    if (message['recovered'] === true) this.recovered(request, position, message);
    else this.notRecovered(request, position, message);
  }

  /** Checks that pages follow a start, and together are its snapshot. [L-6.10] */
  page(topic: string, { snapshot, last }: Received): void {
    const paged = this.paged.get(topic);
    const isList = Array.isArray(snapshot);
    paged?.pages.push(...(isList ? (snapshot as unknown[]) : Object.entries(snapshot as object)));
    if (paged === undefined) this.tell('answer', `a page of ${topic} follows no start`);
    else if (last === true) {
      this.paged.delete(topic);
      const { entries } = paged.message;
      const whole = entries ? paged.pages : Object.fromEntries(paged.pages as [string, unknown][]);
      this.snapshot(topic, paged.position, { type: 'subscribed', entries, snapshot: whole }, paged.atMs);
    }
  }

  /** No page follows the end of a subscription. */
  ended(topic: string): void {
    this.paged.delete(topic);
  }

  /** Checks a fresh start that no request caused. [L-5.7] */
  restarted(topic: string, message: Received): void {
    this.paged.delete(topic);
    const position = this.position(topic, message);
    if (message['recovered'] !== false) this.tell('recovery', `${topic} recovered without a request`);
    this.snapshot(topic, position, message);
  }

  /** Checks a new epoch of a stream without missing data. [L-5.14] */
  continued(topic: string, at: Position, message: Received): void {
    const { epoch, offset } = this.position(topic, message);
    const { publications, disturbances } = this.rules;
    if (offset !== at.offset || epoch === at.epoch)
      this.tell('recovery', `${topic} continues at ${String(offset)} instead of ${textOf(at)}`);
    if (!publications.isPastOf(topic, at, epoch))
      this.tell('recovery', `${topic} continues from ${textOf(at)}, which is not in its past`);
    if (!disturbances.hadAny(topic)) this.tell('answer', `${topic} has another epoch for no reason`);
  }

  /** Checks offsets reported as lost. [L-5.8] */
  lost(topic: string, epoch: string, from: number): void {
    const { publications, policy, now } = this.rules;
    // The server read the topic earlier. Data within the limits now was within them then, unless
    // the store was rolled back.
    const before = { epoch, offset: from - 1 };
    const history = policy.rulesFor(topic)?.history;
    if (policy.mayDrop(topic)) return;
    const isThere = publications.recoverable(topic, before, history, now());
    if (isThere && publications.areWithin(topic, before, history, now()))
      this.tell('recovery', `${topic} reports ${String(from)} as lost, but all of it is available`);
  }

  /** A stream lost just now may still appear to exist. */
  private position(topic: string, { epoch, offset }: Received): Position {
    const { publications, disturbances } = this.rules;
    const position = { epoch: String(epoch), offset: Number(offset) };
    const top = publications.top(topic);
    const isNow = top?.epoch === position.epoch && position.offset <= top.offset;
    if (!isNow && !(disturbances.isFresh(topic) && publications.has(topic, position)))
      this.tell('recovery', `${topic} began at ${textOf(position)}, but ends at ${textOf(top)}`);
    return position;
  }

  /** The following events prove that nothing is missing. [L-5.2] */
  private recovered(
    { topic, since, tooMuch }: Request,
    { epoch, offset }: Position,
    message: Received,
  ): void {
    const isPast = since !== undefined && this.rules.publications.isPastOf(topic, since, epoch);
    if (since?.offset !== offset || !isPast)
      this.tell('recovery', `${topic} recovered from ${textOf(since)} at ${String(offset)}`);
    // A stream rolled back since then may have less.
    if (tooMuch && since?.epoch === epoch)
      this.tell('bounds', `${topic} recovered more than the limits allow`);
    if ('snapshot' in message) this.tell('snapshot', `${topic} recovered, but has a snapshot`);
  }

  private notRecovered(request: Request, position: Position, message: Received): void {
    const { publications, policy, now } = this.rules;
    const { topic, since, recoverable } = request;
    const history = policy.rulesFor(topic)?.history;
    // Data available before and after was available when the server read it.
    if (since && recoverable && publications.recoverable(topic, since, history, now()))
      this.tell(
        'recovery',
        `${topic} was not recovered from ${textOf(since)}, although all of it was available`,
      );
    this.snapshot(topic, position, message);
  }

  /** Keys may have become too old until now. Those that have an age are not older than that. */
  private keys({ name, maxKeyAgeMs = Infinity }: SimTopic, at: Position, message: Received, nowMs: number) {
    const fields = fieldsOf(message);
    const ages = new Map(fields.map(([key, , ageMs]) => [key, ageMs]));
    const expected = this.rules.publications
      .keyed(name, at)
      .filter(({ key = '', atMs }) => ages.has(key) || nowMs - atMs <= maxKeyAgeMs);
    const got = JSON.stringify(fields.map(([key, data]) => [key, data]));
    // Before the first publication only a list is known. [L-6.5] [L-6.11]
    const isRight = 'snapshot' in message === (at.offset > 0 || message['entries'] !== undefined);
    if (
      !isRight ||
      got !== JSON.stringify(expected.map(({ key, text }) => [key, JSON.parse(text) as unknown]))
    )
      this.tell('snapshot', `the snapshot of ${name} at ${String(at.offset)} is ${got}`);
    const slackMs = readingMs + this.rules.limits.maxQueueAgeMs + this.rules.stalledMs();
    for (const { key = '', atMs } of message['entries'] && maxKeyAgeMs < Infinity ? expected : []) {
      const sinceMs = nowMs - atMs - (ages.get(key) ?? NaN);
      if (!(sinceMs >= 0 && sinceMs <= slackMs))
        this.tell(
          'snapshot',
          `${key} of ${name} is ${String(nowMs - atMs)} ms old, not ${String(ages.get(key))}`,
        );
    }
  }

  private snapshot(topic: string, position: Position, message: Received, atMs = this.rules.now()): void {
    this.paged.delete(topic);
    if (message['pages'] === true) return void this.paged.set(topic, { position, message, atMs, pages: [] });
    const { policy, publications, disturbances } = this.rules;
    const declared = policy.topics.find(({ name }) => name === topic);
    const { snapshot } = message;
    if (declared?.snapshot !== undefined) {
      // The application does not know streams, so its snapshot may belong to the stream before or
      // after.
      if (declared.holds === undefined || disturbances.isFresh(topic)) return;
      const published = (): unknown[] => publications.upTo(topic, position);
      const label = {
        position,
        get published() {
          return published();
        },
      };
      if (!('snapshot' in message) || !declared.holds(snapshot, label))
        this.tell('snapshot', `the snapshot of ${topic} is not that of ${String(position.offset)}`);
      return;
    }
    if (declared?.latest === 'last-per-key') return this.keys(declared, position, message, atMs);
    const expected = declared?.latest && publications.latest(topic, position, declared.latest);
    const got = JSON.stringify(snapshot) as string | undefined;
    if (got !== (expected && JSON.stringify(JSON.parse(expected))))
      this.tell('snapshot', `the snapshot of ${topic} at ${String(position.offset)} is ${String(got)}`);
  }
}

/** The fields of a snapshot of keys, each with its age if there is one. */
function fieldsOf({ snapshot, entries }: Received): readonly (readonly [string, unknown, number?])[] {
  if (entries !== undefined) return snapshot as [string, unknown, number?][];
  return Object.entries((snapshot ?? {}) as object);
}

function textOf(position: Position | undefined): string {
  return position === undefined ? 'nothing' : `${position.epoch}:${String(position.offset)}`;
}
