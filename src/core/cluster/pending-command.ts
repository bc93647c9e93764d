import type { Cancel } from '../ports/clock.js';
import type { ClusterCount, Command } from './signal.js';
import type { Instance } from './instances.js';

/** One command that this instance gave, and what was said to it. */
export class PendingCommand {
  /** Takes the next telling back. */
  cancelNext: Cancel | undefined;
  private readonly waiting = new Map<string, Instance>();
  private readonly answers = new Map<string, { readonly instanceId: string; readonly count: number }>();
  private complete: (() => void) | undefined;
  private over = false;

  constructor(
    readonly id: number,
    readonly command: Command,
    /** When it was given, on this instance's clock. */
    readonly atMs: number,
    instances: readonly Instance[],
  ) {
    for (const instance of instances) this.expect(instance);
  }

  /** Keys of those who have not answered. */
  get awaited(): readonly string[] {
    return [...this.waiting.keys()];
  }

  /** An answer is owed by this instance, too; `false` when it is there already. */
  expect(instance: Instance): boolean {
    if (this.answers.has(instance.key)) return false;
    this.waiting.set(instance.key, instance);
    return true;
  }

  /** Nothing is owed by this instance any more. */
  excuse(key: string): void {
    if (this.waiting.delete(key)) this.check();
  }

  /** `false` for an answer that was there already. */
  answered(key: string, instanceId: string, count: number): boolean {
    if (this.answers.has(key)) return false;
    this.answers.set(key, { instanceId, count });
    this.waiting.delete(key);
    this.check();
    return true;
  }

  /** Resolves when nobody owes an answer, or `giveUp` is called. */
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
