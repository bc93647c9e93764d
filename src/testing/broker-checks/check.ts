import type { BrokerAbility } from './opened-broker.js';
import type { BrokerWorld } from './world.js';

/** One guarantee of the `Broker` port. */
export interface BrokerCheck {
  /** The guarantee, as a rule. */
  readonly title: string;
  readonly needs?: readonly BrokerAbility[];
  run(world: BrokerWorld): Promise<void>;
}
