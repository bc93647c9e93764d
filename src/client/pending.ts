import type { ServerMessage } from '../protocol/messages.js';
import type { Platform } from './platform.js';
import type { KeptPublish } from './publish-queue.options.js';

/** How long a publication waits for a connection, and how long servers remember its key. */
const keptMs = 300_000;

/** A publication is not sent again so shortly before the server forgets its key. */
const marginMs = 10_000;

/** Settles the promise of the application. */
interface Settle {
  resolve(answer: ServerMessage): void;
  reject(error: Error): void;
}

/** A request or a publication that is not answered yet. */
export class Pending {
  readonly bytes: number;
  /** Whether it was sent on the current connection, or on the one before it. */
  sent: 'now' | 'before' | undefined;
  /** The id with which it was last sent. */
  id = 0;
  /** Whether it may have had its effect although it was not answered. */
  maybe = false;
  /** Number of temporary refusals, and when to send it again. */
  attempt = 0;
  notBefore = 0;
  #endsMs = 0;
  #endsWallMs = 0;

  constructor(
    /** The message without its id and the last brace. */
    readonly text: string,
    readonly settle: Settle,
    /** The user it belongs to. Unknown before the first welcome. */
    public user: string | undefined,
    /** Of a publication, which is sent again until it is answered: what a store keeps. */
    public kept: KeptPublish | undefined,
  ) {
    this.bytes = sizeOf(text);
  }

  /** Limits its time on both clocks: one may stop while the machine sleeps. */
  limit(platform: Platform, limitMs?: number): void {
    const wallMs = platform.wallMs();
    const ms = limitMs ?? (this.kept ? endOf(this.kept) - wallMs : 0);
    this.#endsMs = platform.now() + ms;
    this.#endsWallMs = wallMs + ms;
  }

  leftMs(platform: Platform): number {
    return Math.min(this.#endsMs - platform.now(), this.#endsWallMs - platform.wallMs());
  }
}

export function sizeOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * Returns names for publications. They are random, so that clients without a user do not share
 * them. [L-4.15]
 */
export function keysOf(platform: Platform): () => string {
  const some = (): string => platform.random().toString(36).slice(2);
  const head = `${some()}${some()}-`;
  let count = 0;
  return () => head + String(++count);
}

/** Without the last brace, for an id to follow. */
export function textOf(message: object): string {
  return JSON.stringify(message).slice(0, -1);
}

/** When a publication is given up, in milliseconds since 1970. */
function endOf({ atMs, sentAtMs, ttlMs }: KeptPublish): number {
  if (sentAtMs === undefined) return atMs + (ttlMs ?? keptMs);
  return Math.min(sentAtMs + keptMs - marginMs, atMs + (ttlMs ?? Infinity));
}
