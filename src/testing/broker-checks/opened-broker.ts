import type { Broker } from '../../core/ports/broker.js';

/** What some engines have and others do not. */
export type BrokerAbility = 'another' | 'loseStreams' | 'restart' | 'junk';

/** A broker on an engine of its own, in which nothing was published yet. Instances are given before `start`. */
export interface OpenedBroker {
  readonly broker: Broker;
  /** Another instance on the same streams. */
  readonly another?: () => Broker | Promise<Broker>;
  /** Moves the time on by which history expires. Without it real time passes. */
  readonly pass?: (ms: number) => void | Promise<void>;
  /** Loses every stream, as an engine does that comes back without its store; the instances stay. */
  readonly loseStreams?: () => void | Promise<void>;
  /** Stops the engine, runs `meanwhile`, and starts it again with what it had stored. */
  readonly restart?: (meanwhile: () => Promise<void>) => Promise<void>;
  /** Sends what is no publication and no signal to wherever an instance listens that is subscribed to the topic. */
  readonly junk?: (topic: string) => void | Promise<void>;
  /** What the instances have counted of that. */
  readonly junkTotal?: () => number;
  /** Frees the engine; the instances are closed by then. */
  close(): void | Promise<void>;
}
