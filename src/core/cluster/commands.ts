import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { ClusterCount, Command, Do, Done } from './signal.js';
import type { Instance, Instances } from './instances.js';
import { PendingCommand } from './pending-command.js';

/**
 * Executes a command on this instance. Returns the number of affected items.
 *
 * @param ageMs - milliseconds since it was given; later connections are not affected
 */
export type CarryOut = (command: Command, ageMs: number) => number | Promise<number>;

export interface CommandsOptions {
  readonly self: Instance;
  readonly instances: Instances;
  readonly clock: Clock;
  readonly observer: Observer;
  readonly carryOut: CarryOut;
  send(body: Do | Done): void;
}

/** How long the caller waits for answers. */
const answerMs = 2_000;
/**
 * Retry delay for instances that have not answered: `soon` while the caller waits, then backing off
 * to `seldom`.
 */
const againMs = { soon: 500, seldom: 30_000 } as const;
/**
 * How long a command is kept for instances that are away. Receivers remember executed commands
 * twice as long.
 */
const keepMs = 600_000;
/** Maximum number of commands kept: given by this instance, and received from all others. */
const most = { given: 1_000, received: 10_000 } as const;

interface ExecutedCommand {
  readonly atMs: number;
  readonly count: Promise<number>;
}

/**
 * Sends commands to all instances. This one executes them at once, even without the engine. The
 * others get them repeatedly until they answer, because a signal may be lost, and execute each
 * once.
 */
export class Commands {
  /**
   * Since the start: commands given here, answers by other instances, and answers missing at the
   * timeout.
   */
  readonly totals = { given: 0, answered: 0, missing: 0 };
  private readonly given = new Map<number, PendingCommand>();
  private readonly received = new Map<string, ExecutedCommand>();
  private lastId = 0;

  constructor(private readonly options: CommandsOptions) {
    options.instances.watch({
      appeared: (instance) => this.appeared(instance),
      greeted() {},
      gone: (instance, said) => this.gone(instance, said),
    });
  }

  /** Resolves when all known instances have answered, or after 2 s. Never rejects. */
  async give(command: Command): Promise<ClusterCount> {
    const { self, instances, clock } = this.options;
    this.totals.given += 1;
    const pending = new PendingCommand(++this.lastId, command, clock.now(), [self, ...instances.others]);
    void this.carryOut(command, 0).then((count) => pending.answered(self.key, self.id, count));
    this.keep(pending);
    this.tell(pending);
    await instances.settled();
    const cancel = clock.after(pending.atMs + answerMs - clock.now(), () => pending.giveUp());
    await pending.whenComplete();
    cancel();
    if (command.verb === 'count') this.forget(pending);
    const result = pending.result();
    this.totals.missing += result.missing.length;
    return result;
  }

  /** Another instance has answered. */
  answered(key: string, { id, instanceId, count }: Done): void {
    if (this.given.get(id)?.answered(key, instanceId, count) === true) this.totals.answered += 1;
  }

  /** Executes a command of another instance once, and answers every copy. */
  async receive(from: string, { id, ageMs, to, command }: Do): Promise<void> {
    const { self, clock, send } = this.options;
    if (to !== undefined && !to.includes(self.key)) return;
    const name = `${from} ${String(id)}`;
    let executed = this.received.get(name);
    if (executed === undefined) {
      executed = { atMs: clock.now(), count: this.carryOut(command, ageMs) };
      this.received.set(name, executed);
      this.forgetReceived();
    }
    const count = await executed.count;
    send({ type: 'done', to: from, id, instanceId: self.id, count });
  }

  /**
   * The engine is back. Sends unanswered commands again, because signals were not delivered in
   * between.
   */
  tellAll(): void {
    for (const pending of this.given.values()) {
      const owing = this.owing(pending);
      if (owing.length > 0) this.tell(pending, owing);
    }
  }

  /** Resolves waiting callers with the answers so far. */
  stop(): void {
    for (const pending of this.given.values()) this.forget(pending);
  }

  private async carryOut(command: Command, ageMs: number): Promise<number> {
    const { carryOut, observer } = this.options;
    try {
      return await carryOut(command, ageMs);
    } catch (error) {
      observer.failed(`carrying out ${command.verb}`, error);
      return 0;
    }
  }

  private keep(pending: PendingCommand): void {
    const oldestMs = pending.atMs - keepMs;
    for (const other of this.given.values()) {
      if (other.atMs > oldestMs && this.given.size < most.given) break;
      this.forget(other);
    }
    this.given.set(pending.id, pending);
  }

  private forget(pending: PendingCommand): void {
    pending.cancelNext?.();
    pending.giveUp();
    this.given.delete(pending.id);
  }

  private forgetReceived(): void {
    const oldestMs = this.options.clock.now() - 2 * keepMs;
    for (const [name, { atMs }] of this.received) {
      if (atMs > oldestMs && this.received.size <= most.received) return;
      this.received.delete(name);
    }
  }

  /** Sends to instances without an answer, initially to all, and schedules a retry. */
  private tell(pending: PendingCommand, to?: readonly string[]): void {
    const { clock, send } = this.options;
    const ageMs = Math.round(clock.now() - pending.atMs);
    send({ type: 'do', id: pending.id, ageMs, ...(to && { to }), command: pending.command });
    this.plan(pending, ageMs);
  }

  private plan(pending: PendingCommand, ageMs: number): void {
    pending.cancelNext?.();
    pending.cancelNext = undefined;
    if (this.owing(pending).length === 0 || ageMs > keepMs) return;
    const waitMs = ageMs < answerMs ? againMs.soon : Math.min(againMs.seldom, ageMs);
    pending.cancelNext = this.options.clock.after(waitMs, () => {
      const owing = this.owing(pending);
      if (owing.length > 0) this.tell(pending, owing);
    });
  }

  /** Running instances that have not answered. */
  private owing(pending: PendingCommand): string[] {
    return pending.awaited.filter((key) => this.options.instances.get(key) !== undefined);
  }

  /** Sends an instance the commands that it may have missed while away. */
  private appeared(instance: Instance): void {
    const oldestMs = this.options.clock.now() - keepMs;
    for (const pending of this.given.values()) {
      if (pending.atMs > oldestMs && pending.expect(instance)) this.tell(pending, [instance.key]);
    }
  }

  /** An instance that said goodbye owes no answer. */
  private gone({ key }: Instance, said: boolean): void {
    if (said) for (const pending of this.given.values()) pending.excuse(key);
  }
}
