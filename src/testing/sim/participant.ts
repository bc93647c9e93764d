import type { Position } from '../../protocol/position.js';
import type { Tell } from './faults.js';
import type { Publications } from './publications.js';
import type { ClientEnd, SimLink } from './sim-link.js';
import type { SimTopic } from './sim-topic.js';
import type { Grant, OddRequest, PeerAction } from './step.js';
import type { Timeline } from './timeline.js';

/** The services that the world offers a participant. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly publications: Publications;
  readonly tell: Tell;
  /** A topic by its name. */
  topic(name: string): SimTopic | undefined;
  /** Issues a credential. */
  issue(userId: string, grant: Grant): string;
  /** Opens a connection. */
  dial(name: string, token: string, end: ClientEnd): SimLink;
  /** Returns different data each time. */
  nextData(topic: string): unknown;
  random(): number;
  /** Adds an observation to the journal. */
  note(text: string): void;
}

/** A client of the server. */
export interface Participant {
  readonly userId: string;
  /** The newest connection. */
  readonly link: SimLink | undefined;
  /** Connects, or sets the rights of the next connection. */
  connect(grant: Grant): void;
  subscribe(topic: string, since: Position | undefined): void;
  unsubscribe(topic: string): void;
  /** Removes the key if there is no data. */
  publish(topic: string, data: unknown, key: string | undefined): void;
  renew(grant: Grant, whose: (PeerAction & { do: 'auth' })['whose']): void;
  odd(what: OddRequest): void;
  /** The network is back. */
  online(): void;
  /** Disconnects; the next action starts over. */
  leave(): void;
  /** The last position that it saw in a topic. */
  position(topic: string): Position | undefined;
  /** Called when all is quiet; reports missing data. */
  checkAtRest(): void;
}
