import { announced } from '../frame/incoming.js';
import { SharedFrame } from '../frame/shared-frame.js';
import type { SlowPeer } from '../outbound/backlog.js';
import { Outbox, type OutboxContext } from '../outbound/outbox.js';
import type { Clock } from '../ports/clock.js';
import type { LiveConnection, LiveConnectionJson } from '../ports/connection.js';
import type { LiveSocket } from '../ports/socket.js';
import { CloseCode, CloseReason } from '../../protocol/codes.js';
import type { LateAnswers } from './late-answers.js';
import type { ConnectionIdentity, LiveUser } from '../ports/identity.js';
import type { Membership } from './membership.js';
import type { PeerInfo } from './peer-info.js';
import type { RateGate } from './rate-gate.js';

/** What all connections of a server share. */
export interface ConnectionContext extends OutboxContext {
  readonly clock: Clock;
  readonly observer: {
    outbound(type: string, count: number): void;
    failed(doing: string, error: unknown, connection: Connection): void;
  };
}

const noMemberships: ReadonlyMap<string, Membership> = new Map();

/** One live connection, as registry, authorisation and broadcast all see it. */
export class Connection implements LiveConnection, SlowPeer {
  /** A UUID. */
  readonly id: string;
  readonly remoteAddr: string;
  readonly cookieHeader: string | undefined;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /** When its handshake began, on the clock's own scale: what was said of its user later means it, too. */
  readonly handshakeStartedMs: number;
  readonly outbox: Outbox;
  /** For the heartbeat alone: when the next ping is due, and when one that is not answered yet was sent. */
  pingDueMs = 0;
  pingSentMs: number | undefined;
  /** When the oldest ping was sent that has no pong yet: so old is what lies before the peer, if the peer does not read. */
  pongAwaitedMs: number | undefined;
  /** Pings of the heartbeat without a pong. */
  pongsDue = 0;
  /** Made with the first message: an idle connection has none. */
  gate: RateGate | undefined;
  /** Questions to the application on its behalf that are not settled yet. [L-9.15] */
  openQuestions = 0;
  /** How this side ended it, if it did. */
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  /** Topics of subscribes that were taken back before their verb has begun. [L-3.7] */
  takenBack: Set<string> | undefined;
  /** Made with the first question that is not answered at once. A change of all its rights takes it away. [L-3.4] */
  lateAnswers: LateAnswers | undefined;
  /** The texts of `publish` messages that are being handled, as they came in, by topic. [L-4.10] */
  publishTexts: Map<string, string> | undefined;
  /** Bytes of its messages that wait to be handled. */
  inboundBytes = 0;
  /** Whether reading from the peer is paused. */
  readingPaused = false;
  private identity: ConnectionIdentity;
  /** When it opened, on the clock's own scale. */
  readonly openedMs: number;
  private heardMs: number;
  private memberships: Map<string, Membership> | undefined;

  constructor(
    readonly socket: LiveSocket,
    peer: PeerInfo,
    private readonly context: ConnectionContext,
  ) {
    this.id = peer.id;
    this.identity = peer.identity;
    this.remoteAddr = peer.remoteAddr;
    this.cookieHeader = peer.cookieHeader;
    this.openedAt = context.clock.wallMs();
    this.openedMs = this.heardMs = context.clock.now();
    this.handshakeStartedMs = peer.handshakeStartedMs ?? this.openedMs;
    this.outbox = new Outbox(socket, context, this);
  }

  get user(): LiveUser | null {
    return this.identity.user;
  }

  /** The credential's end in milliseconds since 1970, if it has one. */
  get expiresAt(): number | undefined {
    return this.identity.expiresAt;
  }

  /** Goes on with a new credential of the same user. */
  renew(identity: ConnectionIdentity): void {
    this.identity = identity;
    this.lateAnswers = undefined;
  }

  /** Whether it can still be sent to: neither side has begun to close. */
  get open(): boolean {
    return this.closedWith === undefined && this.socket.open;
  }

  /** When a message or a pong last came, in milliseconds since 1970. */
  get lastSeenAt(): number {
    return this.openedAt + Math.round(this.heardMs - this.openedMs);
  }

  /** The topics that it is subscribed to. */
  get topics(): string[] {
    return [...(this.memberships ?? noMemberships)].filter(([, { live }]) => live).map(([topic]) => topic);
  }

  /** The topics that it is subscribed to or about to be. */
  get memberTopics(): string[] {
    return [...(this.memberships ?? noMemberships).keys()];
  }

  /** Topics that it is subscribed to or about to be. */
  get membershipCount(): number {
    return this.memberships?.size ?? 0;
  }

  /** Anything came from the peer: it lives. [L-8.3] */
  heard(): void {
    this.heardMs = this.context.clock.now();
    this.pingSentMs = undefined;
  }

  /** Its pong came: it reads. */
  ponged(): void {
    this.heard();
    this.pongAwaitedMs = undefined;
    this.outbox.ponged();
  }

  /** Lets the peer's messages wait in its own buffers, its pongs behind them: it is not asked for any meanwhile. */
  pauseReading(): void {
    this.readingPaused = true;
    this.pongAwaitedMs = undefined;
    this.socket.pause();
  }

  resumeReading(): void {
    this.readingPaused = false;
    this.heard();
    this.socket.resume();
  }

  /** Sends the first message, as JSON text: at once, so that it goes out in one write with the 101, which the socket still holds back. */
  greet(welcome: string): void {
    this.socket.write(new SharedFrame(welcome).bytes);
    this.context.observer.outbound('welcome', 1);
  }

  /** Sends one message, an object with a `type`. Does nothing once the connection is closing. */
  send(message: { readonly type: string }): void {
    this.sendText(message.type, JSON.stringify(message));
  }

  /** Sends a message that is JSON text already. */
  sendText(type: string, text: string): void {
    if (!this.open) return;
    this.context.flusher.endGathering();
    for (const frame of announced(new SharedFrame(text))) this.outbox.push(frame);
    this.context.observer.outbound(type, 1);
  }

  /** Closes after what was already sent. Only the first call counts. */
  close(code: number, reason: string): void {
    if (this.closedWith !== undefined) return;
    this.context.flusher.endGathering();
    this.outbox.finish();
    if (this.closedWith === undefined) this.end(code, reason);
  }

  /** The peer is too far behind: what waits for it is worth less than a fresh start. [L-9.2] */
  tooSlow(): void {
    if (this.closedWith === undefined) this.end(CloseCode.policy, CloseReason.backPressure);
  }

  /** Ends it without a close frame; `code` and `reason` are for the log. */
  terminate(code: number, reason: string): void {
    this.closedWith ??= { code, reason };
    this.gone();
    this.socket.terminate();
  }

  /** Nothing reaches the peer any more: whatever is kept for it is let go. */
  gone(): void {
    this.outbox.drop();
    this.leaveAll();
  }

  /** Whether `membership` is what ties the connection to the topic now; a later one has replaced it otherwise. */
  isMember(topic: string, membership: Membership): boolean {
    return this.memberships?.get(topic) === membership;
  }

  has(topic: string): boolean {
    return this.memberships?.has(topic) ?? false;
  }

  /** Puts `membership` in the place of what was there, which is not ended by this. */
  setMembership(topic: string, membership: Membership): void {
    (this.memberships ??= new Map()).set(topic, membership);
  }

  /** Ends what ties it to the topic; `false` when there was nothing. */
  leave(topic: string): boolean {
    const membership = this.memberships?.get(topic);
    if (membership === undefined) return false;
    this.memberships?.delete(topic);
    membership.leave();
    return true;
  }

  /** What ties it to the topic now. */
  membership(topic: string): Membership | undefined {
    return this.memberships?.get(topic);
  }

  /** Ends a subscribe that is still pending, and nothing else. */
  cancelPending(topic: string): void {
    if (this.memberships?.get(topic)?.live === false) this.leave(topic);
  }

  leaveAll(): void {
    for (const topic of this.memberships?.keys() ?? []) this.leave(topic);
  }

  /** Something of ours has failed for this connection: the log and whoever else listens are told. */
  failed(doing: string, error: unknown): void {
    this.context.observer.failed(doing, error, this);
  }

  /** What may be logged of it: never the cookie, nor the user's claims. */
  toJSON(): LiveConnectionJson {
    const { id, user, remoteAddr, openedAt, lastSeenAt } = this;
    return { id, userId: user?.id, remoteAddr, openedAt, lastSeenAt };
  }

  private end(code: number, reason: string): void {
    this.closedWith = { code, reason };
    this.gone();
    this.socket.close(code, reason);
  }
}
