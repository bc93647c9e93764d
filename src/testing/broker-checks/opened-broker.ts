import type { Broker } from '../../core/ports/broker.js';

/** Abilities that not every engine has. */
export type BrokerAbility = 'another' | 'loseStreams' | 'restart' | 'junk';

/** A broker on a fresh engine without publications. Instances are returned before `start`. */
export interface OpenedBroker {
  /** The broker to check. */
  readonly broker: Broker;
  /** Another instance on the same streams. */
  readonly another?: () => Broker | Promise<Broker>;
  /** Advances the clock that expires history. Without it, real time passes. */
  readonly pass?: (ms: number) => void | Promise<void>;
  /** Loses every stream, like an engine that restarts without its store; the instances stay. */
  readonly loseStreams?: () => void | Promise<void>;
  /** Stops the engine, runs `whileStopped`, and restarts it with its stored data. */
  readonly restart?: (whileStopped: () => Promise<void>) => Promise<void>;
  /**
   * Sends junk, neither a publication nor a signal, to every channel that a subscriber of the topic
   * reads.
   */
  readonly junk?: (topic: string) => void | Promise<void>;
  /** Number of junk messages counted by the instances. */
  readonly junkTotal?: () => number;
  /** Frees the engine, after the instances are closed. */
  close(): void | Promise<void>;
}
