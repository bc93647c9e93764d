import { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import type { PostResult, SealedPost } from '../core/cluster/signal.js';
import type { Session } from '../core/inbound/session.js';
import type { LiveUser } from '../core/ports/identity.js';
import type { EventSocket } from './event-socket.js';
import { type Posted, sealingKeyOf, unseal } from './sealed-post.js';

interface Open {
  readonly session: Session;
  readonly socket: EventSocket;
  readonly sealingKey: Uint8Array;
  /** The last `POST` that was taken. */
  sequence: number;
}

/** The sessions of this instance's event streams, by the hash of their secrets. */
export class EventSessions {
  private readonly open = new Map<string, Open>();

  /** What stands for a secret or a user elsewhere. */
  static hashOf(text: string): string {
    return createHash('sha256').update(text).digest('base64url');
  }

  static hashOfUser({ user }: { readonly user: LiveUser | null }): string | null {
    return user === null ? null : EventSessions.hashOf(user.id);
  }

  static newSecret(): string {
    return randomBytes(24).toString('base64url');
  }

  get size(): number {
    return this.open.size;
  }

  /** Returns the function that ends the session. */
  add(secret: string, session: Session, socket: EventSocket): () => void {
    const key = EventSessions.hashOf(secret);
    this.open.set(key, { session, socket, sealingKey: sealingKeyOf(secret), sequence: 0 });
    return () => this.open.delete(key);
  }

  /** As `receive`, for what another instance has sealed. */
  unseal({ session, sealed }: SealedPost): PostResult {
    const key = this.open.get(session)?.sealingKey;
    const posted = key && unseal(sealed, key);
    return posted === undefined ? 'unknown-session' : this.receive(session, posted);
  }

  /**
   * Hands messages to their session, in order and once each: a repeated `POST` is taken without
   * being handled again, and one that has overtaken another is not taken. [L-12.8]
   */
  receive(key: string, { user, sequence, text }: Posted): PostResult {
    const open = this.open.get(key);
    if (open === undefined || !open.session.connection.open) return 'unknown-session';
    const { session, socket } = open;
    if (EventSessions.hashOfUser(session.connection) !== user) return 'other-user';
    if (sequence <= open.sequence) return 'taken';
    if (sequence !== open.sequence + 1) return 'out-of-order';
    if (socket.paused) return 'busy';
    open.sequence = sequence;
    if (text === '') session.heard();
    else
      for (const line of text.split('\n')) if (line !== '') session.received(line, Buffer.byteLength(line));
    return 'taken';
  }
}
