import type { Cancel } from '../ports/clock.js';
import type { ClusterCount, Command } from './signal.js';
import type { Instance } from './instances.js';

/** One command that this instance gave, and the answers to it. */
export class PendingCommand {
  /** Cancels the next retry. */
  cancelNext: Cancel | undefined;
  private readonly waiting = new Map<string, Instance>();
  private readonly answers = new Map<string, { readonly instanceId: string; readonly count: number }>();
  private complete: (() => void) | undefined;
  private over = false;

  constructor(
    readonly id: number,
    readonly command: Command,
    /** Time it was given, on this instance's clock. */
    readonly atMs: number,
    instances: readonly Instance[],
  ) {
    for (const instance of instances) this.expect(instance);
  }

  /** Keys of instances without an answer. */
  get awaited(): readonly string[] {
    return [...this.waiting.keys()];
  }

  /** Expects an answer of this instance. Returns `false` if it has already answered. */
  expect(instance: Instance): boolean {
    if (this.answers.has(instance.key)) return false;
    this.waiting.set(instance.key, instance);
    return true;
  }

  /** No longer expects an answer of this instance. */
  excuse(key: string): void {
    if (this.waiting.delete(key)) this.check();
  }

  /** Returns `false` for a repeated answer. */
  answered(key: string, instanceId: string, count: number): boolean {
    if (this.answers.has(key)) return false;
    this.answers.set(key, { instanceId, count });
    this.waiting.delete(key);
    this.check();
    return true;
  }

  /** Resolves when no answer is pending, or when `giveUp` is called. */
  async whenComplete(): Promise<void> {
    if (this.waiting.size === 0 || this.over) return;
    await new Promise<void>((resolve) => {
      this.complete = resolve;
    });
  }

  giveUp(): void {
    this.over = true;
    this.complete?.();
  }

  result(): ClusterCount {
    const byInstance = new Map<string, number>();
    let total = 0;
    for (const { instanceId, count } of this.answers.values()) {
      byInstance.set(instanceId, (byInstance.get(instanceId) ?? 0) + count);
      total += count;
    }
    return {
      total,
      byInstance: Object.fromEntries(byInstance),
      missing: [...this.waiting.values()].map(({ id }) => id),
    };
  }

  private check(): void {
    if (this.waiting.size === 0) this.complete?.();
  }
}
