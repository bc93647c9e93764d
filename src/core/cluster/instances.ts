import type { Cancel, Clock } from '../ports/clock.js';
import type { Bye, Hello } from './signal.js';

/** Another live server on the same engine. */
export interface Instance {
  /** Its own at each start: one that was restarted is another instance, also with the same id. */
  readonly key: string;
  readonly id: string;
}

/** Told who comes and goes. */
export interface InstanceWatcher {
  appeared(instance: Instance): void;
  /** It said hello; it has told `seq` changes so far. */
  greeted(instance: Instance, seq: number): void;
  /** `said`: it took its leave, otherwise it fell silent. */
  gone(instance: Instance, said: boolean): void;
}

export interface InstancesOptions {
  readonly instanceId: string;
  /** Milliseconds after which an instance that was not heard of is gone. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** The changes that this instance has told. */
  seq(): number;
  send(body: Hello | Bye): void;
}

interface Known extends Instance {
  heardMs: number;
}

/** Others that are remembered: more than any cluster has, so that a forger cannot fill the memory. */
const maxInstances = 1_024;

/** An instance that is not known yet is answered after a random part of this, so that not all answer at once. */
const answerWithinMs = 100;

/** So long after a start it is not known yet who is there. */
const settlingMs = 300;

/**
 * Which instances are there. Each says hello three times in the timeout, so that two may be lost. Time in which this
 * process stood still, or could not hear, counts against nobody.
 */
export class Instances {
  private readonly known = new Map<string, Known>();
  /** Keys of those who said good-bye: what comes late from them is over. */
  private readonly departed = new Set<string>();
  private readonly watchers: InstanceWatcher[] = [];
  private helloDueMs = 0;
  private plannedMs = 0;
  private cancel: Cancel | undefined;
  private deaf = false;
  private settledMs = 0;

  constructor(private readonly options: InstancesOptions) {}

  /** All others, as far as this one knows. */
  get others(): readonly Instance[] {
    return [...this.known.values()];
  }

  get size(): number {
    return this.known.size;
  }

  get(key: string): Instance | undefined {
    return this.known.get(key);
  }

  watch(watcher: InstanceWatcher): void {
    this.watchers.push(watcher);
  }

  start(): void {
    this.settledMs = this.options.clock.now() + settlingMs;
    this.sayHello();
    this.plan();
  }

  /** Resolves when those who are there have had the time to answer the first hello. */
  async settled(): Promise<void> {
    const { clock } = this.options;
    const ms = this.settledMs - clock.now();
    if (ms > 0) await new Promise<void>((resolve) => clock.after(ms, resolve));
  }

  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.known.clear();
  }

  /** The engine is away: nobody can be heard, so nobody falls silent. */
  setDeaf(deaf: boolean): void {
    if (this.cancel === undefined || deaf === this.deaf) return;
    this.deaf = deaf;
    if (deaf) return;
    const now = this.options.clock.now();
    for (const instance of this.known.values()) instance.heardMs = now;
    this.start();
  }

  /** Anything came from an instance. */
  heard(key: string): void {
    const instance = this.known.get(key);
    if (instance !== undefined) instance.heardMs = this.options.clock.now();
  }

  greeted(key: string, { instanceId, seq }: Hello): void {
    if (this.cancel === undefined || this.departed.has(key)) return;
    let instance = this.known.get(key);
    if (instance === undefined) {
      if (this.known.size >= maxInstances) return;
      const { clock } = this.options;
      instance = { key, id: instanceId, heardMs: clock.now() };
      this.known.set(key, instance);
      this.helloDueMs = Math.min(this.helloDueMs, clock.now() + clock.random() * answerWithinMs);
      this.plan();
      for (const watcher of this.watchers) watcher.appeared(instance);
    }
    for (const watcher of this.watchers) watcher.greeted(instance, seq);
  }

  left(key: string): void {
    const [first] = this.departed;
    if (first !== undefined && this.departed.size >= maxInstances) this.departed.delete(first);
    this.departed.add(key);
    this.forget(key, true);
  }

  private sayHello(): void {
    const { clock, timeoutMs, instanceId } = this.options;
    this.helloDueMs = clock.now() + (timeoutMs / 3) * (0.75 + clock.random() / 4);
    this.options.send({ type: 'hello', instanceId, seq: this.options.seq() });
  }

  /** One timer, for what comes first: the next hello, or the end of somebody's time. */
  private plan(): void {
    const { clock, timeoutMs } = this.options;
    let dueMs = this.helloDueMs;
    if (!this.deaf) {
      for (const { heardMs } of this.known.values()) dueMs = Math.min(dueMs, heardMs + timeoutMs);
    }
    this.cancel?.();
    this.plannedMs = Math.max(dueMs, clock.now());
    this.cancel = clock.after(this.plannedMs - clock.now(), () => this.look());
  }

  private look(): void {
    const { clock, timeoutMs } = this.options;
    const now = clock.now();
    const lateMs = now - this.plannedMs;
    if (lateMs > timeoutMs / 6) for (const instance of this.known.values()) instance.heardMs += lateMs;
    if (!this.deaf) this.forgetSilent(now - timeoutMs);
    if (now >= this.helloDueMs) this.sayHello();
    this.plan();
  }

  private forgetSilent(latestMs: number): void {
    for (const { key, heardMs } of Array.from(this.known.values())) {
      if (heardMs <= latestMs) this.forget(key, false);
    }
  }

  private forget(key: string, said: boolean): void {
    const instance = this.known.get(key);
    if (instance === undefined) return;
    this.known.delete(key);
    for (const watcher of this.watchers) watcher.gone(instance, said);
  }
}
