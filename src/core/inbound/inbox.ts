import { maxOpenQuestions } from './rate-limit.js';
import type { Clock } from '../ports/clock.js';
import { asks, authLane, linkLane, mustWaitFor, type Task } from './task.js';

/** Messages of one connection that begin before others have their turn. */
const messagesPerTurn = 16;

/** Messages that may be asking the application at a time; one question is left for a new credential. [L-9.15] */
const maxAsking = maxOpenQuestions - 1;

/** Subscribes that are answered together: each may be sent a snapshot. */
const maxJoined = 4;

/** Handles a task; `undefined` when that is over already. */
export type Run = (task: Task) => Promise<void> | undefined;

/**
 * The messages of one connection that are not handled yet. Those about one topic begin in order, each when the one before is
 * answered; topics run side by side, but those that ask wait for a new credential that came before them. A ping, and what is
 * no message, wait for nothing. What only the application handles is one lane. [L-2.8]
 */
export class Inbox {
  /** Not begun, in the order in which they came. */
  private waiting: Task[] = [];
  /** All that are not answered, by lane. */
  private readonly lanes = new Map<string, Task[]>();
  /** Tasks that hold a place. */
  private asking = 0;
  /** Subscribes among them. */
  private subscribing = 0;
  private begunInTurn = 0;
  private beginning = false;
  private again = false;
  private resetting = false;

  constructor(
    private readonly clock: Clock,
    private readonly run: Run,
    private readonly onBegun: () => void,
    /** Whether there is room for this topic beside so many that are being asked for. */
    private readonly hasRoom: (topic: string, asked: number) => boolean,
  ) {}

  /** Messages that wait to be begun, and their bytes. */
  waitingCount = 0;
  waitingBytes = 0;

  /** Lets it wait for its turn, which it may have at once. */
  add(task: Task): void {
    const { lane } = task;
    if (lane !== authLane) task.credential = this.lanes.get(authLane)?.at(-1);
    const others = this.lanes.get(lane);
    if (others === undefined) this.lanes.set(lane, [task]);
    else others.push(task);
    this.waiting.push(task);
    this.waitingCount += task.weight;
    this.waitingBytes += task.byteLength;
    if (task.kind === 'unsubscribe') {
      // What it takes back may begin, too, to be answered so.
      this.begin();
      return;
    }
    // All others that wait were looked at since something changed: only this one can begin.
    if (this.begunInTurn >= messagesPerTurn || this.beginning || !this.mayBegin(task)) return;
    this.waiting.pop();
    this.beginTask(task);
    this.resetSoon();
  }

  /** Whether a ping, or what is no message, waits. */
  get hasLinkTasks(): boolean {
    return this.lanes.has(linkLane);
  }

  /** The subscribes to this topic that are not answered yet. */
  subscribesTo(topic: string): readonly Task[] {
    return this.lanes.get(topic)?.filter(({ kind }) => kind === 'subscribe') ?? [];
  }

  /** Nothing of what waits is begun any more. */
  clear(): void {
    this.waiting = [];
    this.lanes.clear();
    this.waitingCount = this.waitingBytes = 0;
  }

  /** Begins all that may. */
  private begin(): void {
    this.again = true;
    if (this.beginning) return;
    this.beginning = true;
    while (this.again) {
      this.again = false;
      for (let i = 0; i < this.waiting.length && this.begunInTurn < messagesPerTurn;) {
        const task = this.waiting[i];
        if (task === undefined || !this.mayBegin(task)) i += 1;
        else {
          this.waiting.splice(i, 1);
          this.beginTask(task);
        }
      }
    }
    this.beginning = false;
    this.resetSoon();
  }

  private resetSoon(): void {
    if (this.waiting.length > 0 || this.resetting) return;
    this.resetting = true;
    void Promise.resolve().then(this.reset);
  }

  private beginTask(task: Task): void {
    this.waitingCount -= task.weight;
    this.waitingBytes -= task.byteLength;
    task.holdsPlace = asks(task) && !this.isHeld(task);
    this.countPlace(task, 1);
    task.begun = true;
    this.begunInTurn += 1;
    if (this.begunInTurn === messagesPerTurn) this.clock.soon(this.nextTurn);
    this.onBegun();
    const done = this.run(task);
    if (done === undefined) this.finished(task);
    else void done.then(() => this.finished(task));
  }

  /** Nothing waits behind what was read: the next message is of another read. */
  private readonly reset = (): void => {
    this.resetting = false;
    if (this.waiting.length === 0 && this.begunInTurn < messagesPerTurn) this.begunInTurn = 0;
  };

  /** What one read brings may be thousands of messages: other sockets have their turn in between. */
  private readonly nextTurn = (): void => {
    this.begunInTurn = 0;
    void Promise.resolve().then(() => this.begin());
  };

  private finished(task: Task): void {
    task.done = true;
    const { lane } = task;
    const tasks = this.lanes.get(lane);
    const place = tasks?.indexOf(task) ?? -1;
    if (tasks !== undefined && place >= 0) {
      tasks.splice(place, 1);
      if (tasks.length === 0) this.lanes.delete(lane);
    }
    this.countPlace(task, -1);
    if (this.waiting.length === 0) return;
    const { holdsPlace, kind } = task;
    // Nothing waits for a ping, and there may be thousands.
    const frees = holdsPlace || kind === 'unsubscribe' || lane === authLane || (tasks?.length ?? 0) > 0;
    if (frees) this.begin();
  }

  private countPlace({ holdsPlace, kind }: Task, change: 1 | -1): void {
    if (!holdsPlace) return;
    this.asking += change;
    if (kind === 'subscribe') this.subscribing += change;
  }

  /** Whether one that it joins holds a place. */
  private isHeld({ lane }: Task): boolean {
    return this.lanes.get(lane)?.some(({ holdsPlace }) => holdsPlace) ?? false;
  }

  private mayBegin(task: Task): boolean {
    const { lane } = task;
    // Of a hundred topics most wait for a place: alone in its lane, one joins nothing that holds one.
    if (this.asking >= maxAsking && asks(task) && this.lanes.get(lane)?.length === 1) return false;
    let joined = 0;
    for (const earlier of this.lanes.get(lane) ?? []) {
      if (earlier === task) break;
      if (mustWaitFor(earlier, task) || ++joined >= maxJoined) return false;
    }
    if (!asks(task)) return true;
    if (task.credential?.done === false) return false;
    // Some of those that take the room may be refused: only what is there for certain is a lasting reason. [L-3.8]
    if (task.kind === 'subscribe' && this.subscribing > 0 && !this.hasRoom(lane, this.subscribing))
      return false;
    return this.asking < maxAsking || this.isHeld(task);
  }
}
