import { announced, SharedFrame } from '../frame/shared-frame.js';
import type { SlowPeer } from '../outbound/backlog.js';
import { Outbox } from '../outbound/outbox.js';
import type { LiveConnection, LiveConnectionJson } from '../ports/connection.js';
import type { LiveSocket } from '../ports/socket.js';
import { CloseCode, CloseReason } from '../../protocol/codes.js';
import type { ConnectionContext } from './connection-context.js';
import type { LateAnswers } from './late-answers.js';
import type { ConnectionIdentity, LiveUser } from '../ports/identity.js';
import type { Membership } from './membership.js';
import type { PeerInfo } from './peer-info.js';
import type { RateGate } from './rate-limit.js';

const noMemberships: ReadonlyMap<string, Membership> = new Map();

/** One live connection, shared by registry, authorization and broadcast. */
export class Connection implements LiveConnection, SlowPeer {
  /** A UUID. */
  readonly id: string;
  readonly remoteAddr: string;
  readonly cookieHeader: string | undefined;
  /** Milliseconds since 1970. */
  readonly openedAt: number;
  /**
   * Start of its handshake on the monotonic clock. Commands for its user given later apply to it.
   */
  readonly handshakeStartedMs: number;
  readonly outbox: Outbox;
  /**
   * Used by the heartbeat only: when the next ping is due, and when the unanswered one was sent.
   */
  pingDueMs = 0;
  pingSentMs: number | undefined;
  /**
   * Time the oldest unanswered ping was sent. If the peer has stopped reading, its unread data is
   * at least this old.
   */
  pongAwaitedMs: number | undefined;
  /** Number of heartbeat pings without a pong. */
  pongsDue = 0;
  /** Created with the first message. An idle connection has none. */
  gate: RateGate | undefined;
  /** Number of unsettled application calls on its behalf. [L-9.15] */
  openQuestions = 0;
  /** Code and reason if this side ended it. */
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  /** Topics of subscribes that were canceled before their verb started. [L-3.7] */
  takenBack: Set<string> | undefined;
  /**
   * Created with the first asynchronous check. Removed when all its rights may have changed.
   * [L-3.4]
   */
  lateAnswers: LateAnswers | undefined;
  /** Finds the raw text of the publish to a topic that is being handled. [L-4.10] */
  publishTexts: { publishText(topic: string): string | undefined } | undefined;
  /** Bytes of its messages waiting to be handled. */
  inboundBytes = 0;
  /** Whether reading from the peer is paused. */
  readingPaused = false;
  private identity: ConnectionIdentity;
  /** Time it opened, on the monotonic clock. */
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

  /** Expiry of the credential in milliseconds since 1970, if it has one. */
  get expiresAt(): number | undefined {
    return this.identity.expiresAt;
  }

  /** Replaces the credential by a new one of the same user. */
  renew(identity: ConnectionIdentity): void {
    this.identity = identity;
    this.lateAnswers = undefined;
  }

  /** Whether it can still be sent to: neither side has started to close. */
  get open(): boolean {
    return this.closedWith === undefined && this.socket.open;
  }

  /** Time of the last message or pong, in milliseconds since 1970. */
  get lastSeenAt(): number {
    return this.openedAt + Math.round(this.heardMs - this.openedMs);
  }

  /** Topics it is subscribed to. */
  get topics(): string[] {
    return [...(this.memberships ?? noMemberships)].filter(([, { live }]) => live).map(([topic]) => topic);
  }

  /** Topics it is subscribed to, including pending subscribes. */
  get memberTopics(): string[] {
    return [...(this.memberships ?? noMemberships).keys()];
  }

  /** Number of subscriptions and pending subscribes. */
  get membershipCount(): number {
    return this.memberships?.size ?? 0;
  }

  /** A frame arrived from the peer, so it is alive. [L-8.3] */
  heard(): void {
    this.heardMs = this.context.clock.now();
    this.pingSentMs = undefined;
  }

  /** A pong arrived, so the peer reads. */
  ponged(): void {
    this.heard();
    this.pongAwaitedMs = undefined;
    this.outbox.ponged();
  }

  /**
   * Stops reading, so that messages wait in the peer's buffers. Pongs wait behind them, so the
   * peer is not pinged while reading is paused.
   */
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

  /**
   * Sends the first message as JSON text, at once, in the same write as the 101 that the socket
   * still holds.
   */
  greet(welcome: string): void {
    this.socket.write(new SharedFrame(welcome).for(this.socket.windowBits).bytes);
    this.context.observer.outbound('welcome', 1);
  }

  /** Sends one message, an object with a `type`. Does nothing once the connection is closing. */
  send(message: { readonly type: string }): void {
    this.sendText(message.type, JSON.stringify(message));
  }

  /** Sends a message that is already JSON text. */
  sendText(type: string, text: string): void {
    if (!this.open) return;
    this.context.flusher.endGathering();
    for (const frame of announced(new SharedFrame(text))) this.outbox.push(frame);
    this.context.observer.outbound(type, 1);
  }

  /** Closes after everything sent so far. Only the first call counts. */
  close(code: number, reason: string): void {
    if (this.closedWith !== undefined) return;
    this.context.flusher.endGathering();
    this.outbox.finish();
    if (this.closedWith === undefined) this.end(code, reason);
  }

  /** The peer is too far behind. Its queue is worth less than a fresh start. [L-9.2] */
  tooSlow(): void {
    if (this.closedWith === undefined) this.end(CloseCode.policy, CloseReason.backPressure);
  }

  /** Ends it without a close frame. `code` and `reason` are only logged. */
  terminate(code: number, reason: string): void {
    this.closedWith ??= { code, reason };
    this.gone();
    this.socket.terminate();
  }

  /** Nothing reaches the peer any more. Releases everything kept for it. */
  gone(): void {
    this.outbox.drop();
    this.leaveAll();
  }

  /** Whether `membership` is still current for the topic, and not replaced by a later one. */
  isMember(topic: string, membership: Membership): boolean {
    return this.memberships?.get(topic) === membership;
  }

  has(topic: string): boolean {
    return this.memberships?.has(topic) ?? false;
  }

  /** Replaces the membership of the topic without ending the old one. */
  setMembership(topic: string, membership: Membership): void {
    (this.memberships ??= new Map()).set(topic, membership);
  }

  /** Ends its membership of the topic. Returns `false` if there was none. */
  leave(topic: string): boolean {
    const membership = this.memberships?.get(topic);
    if (membership === undefined) return false;
    this.memberships?.delete(topic);
    membership.leave();
    return true;
  }

  membership(topic: string): Membership | undefined {
    return this.memberships?.get(topic);
  }

  /** Ends a pending subscribe, but not a subscription. */
  cancelPending(topic: string): void {
    if (this.memberships?.get(topic)?.live === false) this.leave(topic);
  }

  leaveAll(): void {
    for (const topic of this.memberships?.keys() ?? []) this.leave(topic);
  }

  /** Reports an internal error of this connection to the observer. */
  failed(doing: string, error: unknown): void {
    this.context.observer.failed(doing, error, this);
  }

  /** The fields that may be logged: never the cookie or the user's claims. */
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
