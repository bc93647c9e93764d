import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Cancel } from '../core/ports/clock.js';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import type { Candidate } from './candidate.js';
import { type Refusal, refuse } from './refusal.js';

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
export class PendingHandshake implements Candidate {
  readonly opens = true;
  private over = false;
  /** Data received before the decision, once the handshake is watched. */
  private chunks: Buffer[] | undefined;
  private earlyBytes = 0;
  private unwatch: (() => void) | undefined;
  private cancelDeadline: Cancel | undefined;

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
  ) {}

  /** Data received before the decision, in order. */
  get early(): Buffer {
    return this.chunks === undefined ? this.head : Buffer.concat(this.chunks);
  }

  fault(): Refusal | undefined {
    return this.owner.faultOf(this);
  }

  watch(onGone: () => void, cancelDeadline: Cancel): void {
    const { socket, head } = this;
    const keep = (chunk: Buffer): void => this.keep(chunk);
    this.cancelDeadline = cancelDeadline;
    this.chunks = [];
    this.unwatch = () => {
      socket.off('data', keep);
      socket.off('end', onGone);
      socket.off('close', onGone);
      socket.pause();
    };
    socket.on('data', keep);
    socket.on('end', onGone);
    socket.on('close', onGone);
    this.keep(head);
    if (socket.destroyed || socket.readableEnded) onGone();
  }

  /** Detaches from the socket, which stays paused if it was watched. */
  end(): boolean {
    if (this.over) return false;
    this.over = true;
    this.unwatch?.();
    return true;
  }

  settled(): void {
    this.cancelDeadline?.();
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

  private keep(chunk: Buffer): void {
    this.chunks?.push(chunk);
    this.earlyBytes += chunk.length;
    if (this.earlyBytes >= maxEarlyBytes) this.socket.pause();
  }
}
