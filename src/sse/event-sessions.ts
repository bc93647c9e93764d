import { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import type { Session } from '../core/inbound/session.js';
import type { EventSocket } from './event-socket.js';

/** The messages of one `POST`. */
export interface Posted {
  /** Hash of the secret, so that the secret itself is neither kept nor passed on. */
  readonly key: string;
  /** The user that the guards identified for the `POST`; `null` for none. */
  readonly user: string | null;
  /** Number of the `POST` in its session, from 1. */
  readonly sequence: number;
  /** One message a line. Nothing answers a ping. */
  readonly text: string;
}

/** What became of it. [L-12.8] */
export type PostResult = 'taken' | 'unknown-session' | 'other-user' | 'out-of-order' | 'busy';

interface Open {
  readonly session: Session;
  readonly socket: EventSocket;
  /** The last `POST` that was taken. */
  sequence: number;
}

/** The sessions of this instance's event streams, by the hash of their secrets. */
export class EventSessions {
  private readonly open = new Map<string, Open>();

  /** The secret's name for others. */
  static keyOf(secret: string): string {
    return createHash('sha256').update(secret).digest('base64url');
  }

  static newSecret(): string {
    return randomBytes(24).toString('base64url');
  }

  get size(): number {
    return this.open.size;
  }

  add(key: string, session: Session, socket: EventSocket): void {
    this.open.set(key, { session, socket, sequence: 0 });
  }

  remove(key: string): void {
    this.open.delete(key);
  }

  /**
   * Hands messages to their session, in order and once each: a repeated `POST` is taken without
   * being handled again, and one that has overtaken another is not taken. [L-12.8]
   */
  receive({ key, user, sequence, text }: Posted): PostResult {
    const open = this.open.get(key);
    if (open === undefined || !open.session.connection.open) return 'unknown-session';
    const { session, socket } = open;
    if ((session.connection.user?.id ?? null) !== user) return 'other-user';
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
