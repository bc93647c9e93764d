import assert from 'node:assert/strict';
import type { Broker, HistoryRules, RecoveryLimits } from '../../core/ports/broker.js';
import { Instance } from './instance.js';
import type { BrokerAbility, OpenedBroker } from './opened-broker.js';
import { Patience, sleep } from './timing.js';

/** More than any check publishes. */
export const plenty: HistoryRules = { size: 1_000, ttlMs: 600_000, maxBytes: 10_000_000 };
export const all: RecoveryLimits = { count: 300, bytes: 1_048_576 };

/** The engine of one check and its instances. */
export class BrokerWorld {
  readonly patience: Patience;
  private readonly instances: Instance[] = [];

  constructor(
    readonly opened: OpenedBroker,
    private readonly without: readonly BrokerAbility[],
    patienceMs: number,
  ) {
    this.patience = new Patience(patienceMs);
  }

  /** Returns the ability, or fails if `without` should name it. */
  need<Ability extends BrokerAbility>(ability: Ability): NonNullable<OpenedBroker[Ability]> {
    const given = this.opened[ability];
    assert.ok(given, `open() returned no "${ability}"; add it to "without" if the engine cannot do this`);
    return given as NonNullable<OpenedBroker[Ability]>;
  }

  /** The first instance, started and available. */
  start(): Promise<Instance> {
    return this.started(this.opened.broker);
  }

  /** Two instances, or one twice if the engine lives in a single process. */
  async startTwo(): Promise<[Instance, Instance]> {
    const first = await this.start();
    if (this.without.includes('another')) return [first, first];
    return [first, await this.started(await this.need('another')())];
  }

  pass(ms: number): Promise<void> {
    if (this.opened.pass !== undefined) return Promise.resolve(this.opened.pass(ms));
    return sleep(ms);
  }

  async close(): Promise<void> {
    for (const { broker } of this.instances) await this.patience.inTime('close', broker.close());
    await this.opened.close();
  }

  private async started(broker: Broker): Promise<Instance> {
    const instance = new Instance(broker, this.patience);
    this.instances.push(instance);
    broker.start(instance.sink);
    await this.patience.until('the broker is available', () => broker.available);
    return instance;
  }
}
