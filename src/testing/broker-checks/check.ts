import type { BrokerAbility } from './opened-broker.js';
import type { BrokerWorld } from './world.js';

/** One promise of the `Broker` port. */
export interface BrokerCheck {
  /** The promise, as a rule. */
  readonly title: string;
  readonly needs?: readonly BrokerAbility[];
  run(world: BrokerWorld): Promise<void>;
}
