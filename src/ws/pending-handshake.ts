import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Cancel } from '../core/ports/clock.js';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import { type Refusal, refuse } from './refusal.js';

/** A request that the rules of handshakes decide on, by whichever door it came. */
export abstract class Candidate {
  abstract readonly request: IncomingMessage;
  /** The client's address. */
  abstract readonly address: string;
  /** The clock's time when it arrived. */
  abstract readonly handshakeStartedMs: number;
  /** Whether it opens a connection. Otherwise it belongs to an open one, also during a drain. */
  abstract readonly opens: boolean;
  private over = false;
  private unwatch: (() => void) | undefined;
  private cancelDeadline: Cancel | undefined;

  /** What is wrong with the request itself; asked first. */
  abstract fault(): Refusal | undefined;

  /**
   * Watches a peer that was not decided on at once. `cancelDeadline` is called on settling.
   *
   * @param onGone - called at most once, and not after `end`; at once if the peer has left
   */
  watch(onGone: () => void, cancelDeadline: Cancel): void {
    this.cancelDeadline = cancelDeadline;
    this.unwatch = this.listen(onGone);
    if (this.hasLeft) onGone();
  }

  /** Ends the watch. Returns false if it was over before. */
  end(): boolean {
    if (this.over) return false;
    this.over = true;
    this.unwatch?.();
    return true;
  }

  /** The guards have answered or timed out. */
  settled(): void {
    this.cancelDeadline?.();
  }

  /** The guards accept it. Called after `end`, as are the next two. */
  abstract admit(identity: ConnectionIdentity): void;
  /** Answers with the refusal. */
  abstract refuse(refusal: Refusal): void;
  /** The peer has left. */
  abstract drop(): void;

  protected abstract readonly hasLeft: boolean;
  /** Calls `onGone` when the peer leaves, until the returned function is called. */
  protected abstract listen(onGone: () => void): () => void;
}

/** Bytes that a peer may send early; reading pauses there until the handshake is decided. */
const maxEarlyBytes = 16_384;

/** Knows the rules of WebSocket handshakes. */
export interface HandshakeOwner {
  faultOf(handshake: PendingHandshake): Refusal | undefined;
  admit(handshake: PendingHandshake, identity: ConnectionIdentity): void;
}

/**
 * A handshake that is not decided yet. Most are decided within one tick. Slower ones must be
 * watched and read, because Node reports EOF only after buffered data.
 */
export class PendingHandshake extends Candidate {
  readonly opens = true;
  /** Data received before the decision, once the handshake is watched. */
  private chunks: Buffer[] | undefined;
  private earlyBytes = 0;

  constructor(
    readonly request: IncomingMessage,
    readonly socket: Duplex,
    /** The client's address. */
    readonly address: string,
    private readonly head: Buffer,
    readonly handshakeStartedMs: number,
    /** Whether an earlier request on the socket awaits its answer. */
    readonly unfinishedResponse: boolean,
    private readonly owner: HandshakeOwner,
  ) {
    super();
  }

  /** Data received before the decision, in order. */
  get early(): Buffer {
    return this.chunks === undefined ? this.head : Buffer.concat(this.chunks);
  }

  fault(): Refusal | undefined {
    return this.owner.faultOf(this);
  }

  admit(identity: ConnectionIdentity): void {
    this.owner.admit(this, identity);
  }

  refuse(refusal: Refusal): void {
    refuse(this.socket, refusal);
  }

  drop(): void {
    this.socket.destroy();
  }

  protected get hasLeft(): boolean {
    return this.socket.destroyed || this.socket.readableEnded;
  }

  /** Afterwards the socket stays paused. */
  protected listen(onGone: () => void): () => void {
    const { socket, head } = this;
    const keep = (chunk: Buffer): void => this.keep(chunk);
    this.chunks = [];
    socket.on('data', keep);
    socket.on('end', onGone);
    socket.on('close', onGone);
    this.keep(head);
    return () => {
      socket.off('data', keep);
      socket.off('end', onGone);
      socket.off('close', onGone);
      socket.pause();
    };
  }

  private keep(chunk: Buffer): void {
    this.chunks?.push(chunk);
    this.earlyBytes += chunk.length;
    if (this.earlyBytes >= maxEarlyBytes) this.socket.pause();
  }
}
