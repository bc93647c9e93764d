import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import type { ClusterCount, Command, Do, Done } from './signal.js';
import type { Instance, Instances } from './instances.js';
import { Order } from './order.js';

/**
 * Does a command on this instance; returns how much there was to do.
 *
 * @param ageMs milliseconds since it was given: what came later is not meant
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
/** How long after an order who has not answered is told again, while the caller waits; later ever more seldom. */
const againMs = { soon: 500, seldom: 30_000 } as const;
/** How long an order is kept, for those who were away; who has carried it out remembers it for twice as long. */
const keepMs = 600_000;
/** Orders that are kept, of this instance, and of all others. */
const most = { given: 1_000, received: 10_000 } as const;

interface Deed {
  readonly atMs: number;
  readonly count: Promise<number>;
}

/**
 * Commands for all instances. This one carries them out at once, also when the engine is away. The others are told, and
 * told again until they have answered, because a signal may be lost; each carries an order out once.
 */
export class Commands {
  /** Since the start: commands given here, answers of other instances to them, answers that did not come in time. */
  readonly totals = { given: 0, answered: 0, missing: 0 };
  private readonly given = new Map<number, Order>();
  private readonly received = new Map<string, Deed>();
  private lastId = 0;

  constructor(private readonly options: CommandsOptions) {
    options.instances.watch({
      appeared: (instance) => this.appeared(instance),
      greeted() {},
      gone: (instance, said) => this.gone(instance, said),
    });
  }

  /** Resolves when all known instances have answered, at the latest after 2 s. Never rejects. */
  async give(command: Command): Promise<ClusterCount> {
    const { self, instances, clock } = this.options;
    this.totals.given += 1;
    const order = new Order(++this.lastId, command, clock.now(), [self, ...instances.others]);
    void this.carryOut(command, 0).then((count) => order.answered(self.key, self.id, count));
    this.keep(order);
    this.tell(order);
    await instances.settled();
    const cancel = clock.after(order.atMs + answerMs - clock.now(), () => order.giveUp());
    await order.whenComplete();
    cancel();
    if (command.verb === 'count') this.forget(order);
    const result = order.result();
    this.totals.missing += result.missing.length;
    return result;
  }

  /** Another instance has answered. */
  answered(key: string, { id, instanceId, count }: Done): void {
    if (this.given.get(id)?.answered(key, instanceId, count) === true) this.totals.answered += 1;
  }

  /** Another instance gives an order: it is carried out once, and answered each time. */
  async receive(from: string, { id, ageMs, to, command }: Do): Promise<void> {
    const { self, clock, send } = this.options;
    if (to !== undefined && !to.includes(self.key)) return;
    const name = `${from} ${String(id)}`;
    let deed = this.received.get(name);
    if (deed === undefined) {
      deed = { atMs: clock.now(), count: this.carryOut(command, ageMs) };
      this.received.set(name, deed);
      this.forgetReceived();
    }
    const count = await deed.count;
    send({ type: 'done', to: from, id, instanceId: self.id, count });
  }

  /** The engine is back: what was said meanwhile was not heard. */
  tellAll(): void {
    for (const order of this.given.values()) {
      const owing = this.owing(order);
      if (owing.length > 0) this.tell(order, owing);
    }
  }

  /** Callers that still wait get what is there. */
  stop(): void {
    for (const order of this.given.values()) this.forget(order);
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

  private keep(order: Order): void {
    const oldestMs = order.atMs - keepMs;
    for (const other of this.given.values()) {
      if (other.atMs > oldestMs && this.given.size < most.given) break;
      this.forget(other);
    }
    this.given.set(order.id, order);
  }

  private forget(order: Order): void {
    order.cancelNext?.();
    order.giveUp();
    this.given.delete(order.id);
  }

  private forgetReceived(): void {
    const oldestMs = this.options.clock.now() - 2 * keepMs;
    for (const [name, { atMs }] of this.received) {
      if (atMs > oldestMs && this.received.size <= most.received) return;
      this.received.delete(name);
    }
  }

  /** Tells those who owe an answer, everybody at first, and plans to tell them again. */
  private tell(order: Order, to?: readonly string[]): void {
    const { clock, send } = this.options;
    const ageMs = Math.round(clock.now() - order.atMs);
    send({ type: 'do', id: order.id, ageMs, ...(to && { to }), command: order.command });
    this.plan(order, ageMs);
  }

  private plan(order: Order, ageMs: number): void {
    order.cancelNext?.();
    order.cancelNext = undefined;
    if (this.owing(order).length === 0 || ageMs > keepMs) return;
    const waitMs = ageMs < answerMs ? againMs.soon : Math.min(againMs.seldom, ageMs);
    order.cancelNext = this.options.clock.after(waitMs, () => {
      const owing = this.owing(order);
      if (owing.length > 0) this.tell(order, owing);
    });
  }

  /** Others that are there and have not answered. */
  private owing(order: Order): string[] {
    return order.awaited.filter((key) => this.options.instances.get(key) !== undefined);
  }

  /** Who was away is told what it may have missed. */
  private appeared(instance: Instance): void {
    const oldestMs = this.options.clock.now() - keepMs;
    for (const order of this.given.values()) {
      if (order.atMs > oldestMs && order.expect(instance)) this.tell(order, [instance.key]);
    }
  }

  /** Who said good-bye has nothing left to do. */
  private gone({ key }: Instance, said: boolean): void {
    if (said) for (const order of this.given.values()) order.excuse(key);
  }
}
