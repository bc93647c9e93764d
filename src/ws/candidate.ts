import type { IncomingMessage } from 'node:http';
import type { Cancel } from '../core/ports/clock.js';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import type { Refusal } from './refusal.js';

/** A request that the rules of handshakes decide on, by whichever door it came. */
export interface Candidate {
  readonly request: IncomingMessage;
  /** The client's address. */
  readonly address: string;
  /** The clock's time when it arrived. */
  readonly handshakeStartedMs: number;
  /** Whether it opens a connection. Otherwise it belongs to an open one, also during a drain. */
  readonly opens: boolean;
  /** What is wrong with the request itself; asked first. */
  fault(): Refusal | undefined;
  /**
   * Watches a peer that was not decided on at once. `cancelDeadline` is called on settling.
   *
   * @param onGone - called at most once, and not after `end`; at once if the peer has left
   */
  watch(onGone: () => void, cancelDeadline: Cancel): void;
  /** Ends the watch. Returns false if it was over before. */
  end(): boolean;
  /** The guards have answered or timed out. */
  settled(): void;
  /** The guards accept it. Called after `end`, as are the next two. */
  admit(identity: ConnectionIdentity): void;
  /** Answers with the refusal. */
  refuse(refusal: Refusal): void;
  /** The peer has left. */
  drop(): void;
}
