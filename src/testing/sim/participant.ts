import type { Position } from '../../protocol/position.js';
import type { Tell } from './faults.js';
import type { Publications } from './publications.js';
import type { ClientEnd, SimLink } from './sim-link.js';
import type { Grant, OddRequest, PeerAction } from './step.js';
import type { Timeline } from './timeline.js';

/** What a participant needs of the world. */
export interface Surroundings {
  readonly timeline: Timeline;
  readonly publications: Publications;
  readonly tell: Tell;
  /** Makes a credential. */
  issue(userId: string, grant: Grant): string;
  /** Opens a connection. */
  dial(name: string, token: string, end: ClientEnd): SimLink;
  /** Different each time. */
  nextData(topic: string): unknown;
  random(): number;
  /** Writes down what somebody saw. */
  note(text: string): void;
}

/** Somebody who talks to the server. */
export interface Participant {
  readonly userId: string;
  /** The newest connection. */
  readonly link: SimLink | undefined;
  /** Connects, or says what the next connection may do. */
  connect(grant: Grant): void;
  subscribe(topic: string, since: Position | undefined): void;
  unsubscribe(topic: string): void;
  /** Takes the key away where there is no data. */
  publish(topic: string, data: unknown, key: string | undefined): void;
  renew(grant: Grant, whose: (PeerAction & { do: 'auth' })['whose']): void;
  odd(what: OddRequest): void;
  /** The network is back. */
  online(): void;
  /** Ends it; whatever it does next begins anew. */
  leave(): void;
  /** The last position that it saw in a topic. */
  position(topic: string): Position | undefined;
  /** All is well and nothing has happened for long: tells if it has not got everything. */
  checkAtRest(): void;
}
