import { maxOpenQuestions } from '../connection/open-questions.js';
import type { Clock } from '../ports/clock.js';
import { asks, authLane, linkLane, mustWaitFor, type Task } from './task.js';

/** Messages of one connection that begin before other connections get their turn. */
const messagesPerTurn = 16;

/**
 * Maximum number of messages that may be asking the application at a time. One call is reserved for
 * a new credential. [L-9.15]
 */
const maxAsking = maxOpenQuestions - 1;

/** Maximum number of subscribes that are handled together, since each may send a snapshot. */
const maxJoined = 4;

/** Handles a task. Returns `undefined` when it has finished already. */
export type Run = (task: Task) => Promise<void> | undefined;

/**
 * The unhandled messages of one connection. Messages about one topic run one after the other, and
 * topics run side by side. Messages that ask the application wait for an earlier `auth`. Pings and
 * invalid messages wait for nothing. Messages of the application's own types share a lane. [L-2.8]
 */
export class Inbox {
  /** Tasks that have not begun, in the order of arrival. */
  private waiting: Task[] = [];
  /** Unanswered tasks by lane. */
  private readonly lanes = new Map<string, Task[]>();
  /** Number of tasks that hold a place. */
  private asking = 0;
  /** Number of subscribes among them. */
  private subscribing = 0;
  private begunInTurn = 0;
  private beginning = false;
  private again = false;
  private resetting = false;

  constructor(
    private readonly clock: Clock,
    private readonly run: Run,
    private readonly onBegun: () => void,
    private readonly onFinished: (task: Task) => void,
    /** Whether there is room for this topic besides the given number of pending subscribes. */
    private readonly hasRoom: (topic: string, asked: number) => boolean,
  ) {}

  /** Number of waiting messages, and their bytes. */
  waitingCount = 0;
  waitingBytes = 0;

  /** Adds a task and begins it at once if it is its turn. */
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
      // The subscribes that it cancels may begin now: they are answered as canceled.
      this.begin();
      return;
    }
    // Nothing has changed for the other waiting tasks, so only this one can begin.
    if (this.begunInTurn >= messagesPerTurn || this.beginning || !this.mayBegin(task)) return;
    this.waiting.pop();
    this.beginTask(task);
    this.resetSoon();
  }

  /** Whether a ping or an invalid message waits. */
  get hasLinkTasks(): boolean {
    return this.lanes.has(linkLane);
  }

  /** The raw text of the publish to this topic that is being handled. There is one at most. */
  publishText(topic: string): string | undefined {
    return this.lanes.get(topic)?.find(({ kind, begun }) => kind === 'publish' && begun)?.text;
  }

  /** The unanswered subscribes to this topic. */
  subscribesTo(topic: string): readonly Task[] {
    return this.lanes.get(topic)?.filter(({ kind }) => kind === 'subscribe') ?? [];
  }

  /** Drops all waiting tasks. */
  clear(): void {
    this.waiting = [];
    for (const [lane, tasks] of this.lanes) {
      const running = tasks.filter(({ begun }) => begun);
      if (running.length === 0) this.lanes.delete(lane);
      else this.lanes.set(lane, running);
    }
    this.waitingCount = this.waitingBytes = 0;
  }

  /** Begins every task whose turn it is. */
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

  /** Begins the next tasks of one lane. A search through all waiting tasks takes far longer. */
  private beginNext(lane: readonly Task[]): void {
    this.again = this.beginning;
    if (this.beginning) return;
    this.beginning = true;
    while (this.begunInTurn < messagesPerTurn) {
      const next = lane.find(({ begun }) => !begun);
      if (next === undefined || !this.mayBegin(next)) break;
      remove(this.waiting, next);
      this.beginTask(next);
    }
    this.beginning = false;
    if (this.again) this.begin();
    else this.resetSoon();
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

  /** The read has no more messages; the next message belongs to another read. */
  private readonly reset = (): void => {
    this.resetting = false;
    if (this.waiting.length === 0 && this.begunInTurn < messagesPerTurn) this.begunInTurn = 0;
  };

  /** One read can bring thousands of messages, so other sockets get their turn in between. */
  private readonly nextTurn = (): void => {
    this.begunInTurn = 0;
    void Promise.resolve().then(() => this.begin());
  };

  private finished(task: Task): void {
    task.done = true;
    const { lane } = task;
    const tasks = this.lanes.get(lane);
    if (tasks !== undefined) {
      remove(tasks, task);
      if (tasks.length === 0) this.lanes.delete(lane);
    }
    this.countPlace(task, -1);
    this.onFinished(task);
    if (this.waiting.length === 0) return;
    if (this.freesMany(task)) this.begin();
    // No task waits for a ping, and there can be thousands of pings.
    else if (tasks !== undefined && tasks.length > 0) this.beginNext(tasks);
  }

  /** Whether others than the next task of its lane may begin because this one has finished. */
  private freesMany({ kind, lane, holdsPlace }: Task): boolean {
    if (kind === 'subscribe' || kind === 'unsubscribe' || lane === authLane) return true;
    return holdsPlace && this.asking === maxAsking - 1;
  }

  private countPlace({ holdsPlace, kind }: Task, change: 1 | -1): void {
    if (!holdsPlace) return;
    this.asking += change;
    if (kind === 'subscribe') this.subscribing += change;
  }

  /** Whether a subscribe that the task joins holds a place. */
  private isHeld({ lane }: Task): boolean {
    return this.lanes.get(lane)?.some(({ holdsPlace }) => holdsPlace) ?? false;
  }

  private mayBegin(task: Task): boolean {
    const { lane } = task;
    // Most of a hundred topics wait for a place. A task alone in its lane joins no other.
    if (this.asking >= maxAsking && asks(task) && this.lanes.get(lane)?.length === 1) return false;
    let joined = 0;
    for (const earlier of this.lanes.get(lane) ?? []) {
      if (earlier === task) break;
      if (mustWaitFor(earlier, task) || ++joined >= maxJoined) return false;
    }
    if (!asks(task)) return true;
    if (task.credential?.done === false) return false;
    // Pending subscribes may still be refused, so only existing subscriptions count. [L-3.8]
    if (task.kind === 'subscribe' && this.subscribing > 0 && !this.hasRoom(lane, this.subscribing))
      return false;
    return this.asking < maxAsking || this.isHeld(task);
  }
}

/** Most tasks are the first ones. Removing those needs no array of removed ones. */
function remove(tasks: Task[], task: Task): void {
  const place = tasks.indexOf(task);
  if (place === 0) tasks.shift();
  else if (place > 0) tasks.splice(place, 1);
}
