import type { Cancel, Clock } from '../ports/clock.js';
import type { Bye, Hello } from './signal.js';

/** Another live server on the same engine. */
export interface Instance {
  /** New at every start, so a restarted instance is a different one even with the same id. */
  readonly key: string;
  readonly id: string;
}

/** Notified when instances appear and disappear. */
export interface InstanceWatcher {
  appeared(instance: Instance): void;
  /** A hello arrived. The instance has sent `seq` changes so far. */
  greeted(instance: Instance, seq: number): void;
  /** `said`: it announced its departure; otherwise it timed out. */
  gone(instance: Instance, said: boolean): void;
}

export interface InstancesOptions {
  readonly instanceId: string;
  /** Milliseconds of silence after which an instance counts as gone. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Number of changes that this instance has sent. */
  seq(): number;
  send(body: Hello | Bye): void;
}

interface Known extends Instance {
  heardMs: number;
}

/**
 * Maximum number of instances kept. Larger than any cluster, so that forged signals cannot fill the
 * memory.
 */
const maxInstances = 1_024;

/** An unknown instance is answered after a random part of this time, so that answers are spread. */
const answerWithinMs = 100;

/** Time after a start until the other instances are known. */
const settlingMs = 300;

/**
 * Tracks which instances are up. Each sends hello three times per timeout, so two may be lost. Time
 * in which this process was suspended or disconnected does not count.
 */
export class Instances {
  private readonly known = new Map<string, Known>();
  /** Keys of instances that said goodbye. Their late signals are ignored. */
  private readonly departed = new Set<string>();
  private readonly watchers: InstanceWatcher[] = [];
  private helloDueMs = 0;
  private plannedMs = 0;
  private cancel: Cancel | undefined;
  private deaf = false;
  private settledMs = 0;

  constructor(private readonly options: InstancesOptions) {}

  /** All other known instances. */
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

  /** Whether running instances have had time to answer the first hello. */
  get isSettled(): boolean {
    return this.options.clock.now() >= this.settledMs;
  }

  /** Resolves when running instances have had time to answer the first hello. */
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

  /** While the engine is unavailable nothing can be heard, so no instance times out. */
  setDeaf(deaf: boolean): void {
    if (this.cancel === undefined || deaf === this.deaf) return;
    this.deaf = deaf;
    if (deaf) return;
    const now = this.options.clock.now();
    for (const instance of this.known.values()) instance.heardMs = now;
    this.start();
  }

  /** Any signal arrived from an instance. */
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

  /** Sets one timer for the earliest event: the next hello or the next timeout. */
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
