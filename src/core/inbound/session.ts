import { CloseCode } from '../../protocol/codes.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import { LiveError } from '../../protocol/live.error.js';
import type { Connection } from '../connection/connection.js';
import { type PaceContext, takePong, tooSoonMs } from '../connection/rate-limit.js';
import { isBatch, partsOf, topicsPerCharge, weightOf } from './batch.js';
import { readEnvelope } from './envelope.js';
import { Inbox } from './inbox.js';
import { type Task, taskOf } from './task.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import { type FindHandler, Responder } from './responder.js';
import { canceledError } from '../connection/pending-subscribe.js';

export interface SessionContext extends PaceContext {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly maxWaitingMessages: number;
  readonly maxTopicsPerConnection: number;
  /** Called once, when the peer is gone. */
  onEnd(connection: Connection, code: number, reason: string): void;
}

/** An error without a stack, because one is created per refused message. [L-9.10] */
const tooFast = { code: 'rate-limited', message: 'Too many messages in this time' } as const;

/** Inbound messages of one connection: parsed, put in order, passed to their handlers. [L-2.8] */
export class Session {
  /** Created with the first message. An idle connection has none. */
  private inbox: Inbox | undefined;
  private over = false;
  /** Created on first use, like the inbox. */
  private responder_: Responder | undefined;

  constructor(
    readonly connection: Connection,
    private readonly find: FindHandler,
    private readonly context: SessionContext,
  ) {}

  /** Handles one text message. */
  received(text: string, byteLength = text.length): void {
    const { connection, context } = this;
    connection.heard();
    if (!connection.open) return;
    const message = readEnvelope(text);
    const waitMs = tooSoonMs(connection, context, byteLength, weightOf(message));
    if (!connection.open) return;
    if (waitMs > 0) {
      this.refuse(message, waitMs);
      return;
    }
    context.observer.inbound(this.label(message));
    // A peer with too many violations is closed. The sooner it is counted, the fewer are answered.
    if (message instanceof LiveError && this.inbox?.hasLinkTasks !== true) this.responder.violated(message);
    else this.take(message, text, byteLength);
  }

  /** Handles a binary frame. [L-2.3] */
  receivedBinary(): void {
    this.connection.close(CloseCode.unsupportedData, 'text frames only');
  }

  /** Handles a ping that was already answered with a pong. [L-9.12] */
  pinged(byteLength = 0): void {
    this.connection.heard();
    tooSoonMs(this.connection, this.context, byteLength);
  }

  /** Handles a pong: the peer is alive. */
  heard(byteLength = 0): void {
    this.connection.ponged();
    takePong(this.connection, this.context, byteLength);
  }

  /** The socket is gone. Only the first call counts. */
  finished(code: number, reason: string): void {
    if (this.over) return;
    this.over = true;
    this.inbox?.clear();
    this.connection.inboundBytes = 0;
    try {
      this.connection.gone();
    } finally {
      const how = this.connection.closedWith ?? { code, reason };
      this.context.onEnd(this.connection, how.code, how.reason);
    }
  }

  private get responder(): Responder {
    return (this.responder_ ??= new Responder(this.connection, this.find, this.context));
  }

  private refuse(message: InboundMessage | LiveError, waitMs: number): void {
    const request = message instanceof LiveError ? undefined : message;
    this.responder.refuse(request, { ...tooFast, details: { retryAfterMs: Math.ceil(waitMs) } });
  }

  private label(message: InboundMessage | LiveError): string {
    if (message instanceof LiveError) return 'invalid';
    return this.find(message.type) === undefined ? 'unknown' : message.type;
  }

  private take(message: InboundMessage | LiveError, text: string, byteLength: number): void {
    const inbox = (this.inbox ??= this.newInbox());
    if (message instanceof LiveError || !isBatch(message))
      this.wait(inbox, taskOf(message, byteLength, 1, text));
    else {
      try {
        const parts = partsOf(message, this.context.maxTopicsPerConnection);
        for (const [place, part] of parts.entries())
          this.wait(inbox, taskOf(part, place === 0 ? byteLength : 0, place % topicsPerCharge === 0 ? 1 : 0));
      } catch (error) {
        // Without a topic, because no topic of the message gets its own answer then.
        const { type, id } = message;
        this.responder.failed({ type, ...(id !== undefined && { id }) }, error);
      }
    }
    const { connection } = this;
    connection.inboundBytes = inbox.waitingBytes;
    if (connection.readingPaused || inbox.waitingCount < this.context.maxWaitingMessages) return;
    connection.pauseReading();
    this.context.observer.readingPaused(connection);
  }

  private newInbox(): Inbox {
    const inbox = new Inbox(this.context.clock, this.run, this.begun, this.ended, this.hasRoom);
    this.connection.publishTexts = inbox;
    return inbox;
  }

  private wait(inbox: Inbox, task: Task): void {
    if (task.kind === 'unsubscribe') this.takeBack(inbox, task.lane);
    inbox.add(task);
  }

  /** An unsubscribe cancels the pending subscribe instead of waiting for it. [L-3.7] */
  private takeBack(inbox: Inbox, topic: string): void {
    const { connection } = this;
    for (const task of inbox.subscribesTo(topic)) {
      task.takenBack = true;
      // The verb may not have started, because guards and pipes run first.
      if (task.begun) (connection.takenBack ??= new Set()).add(topic);
    }
    connection.lateAnswers?.forget(topic);
    connection.cancelPending(topic);
  }

  private readonly begun = (): void => {
    const { connection, inbox, context } = this;
    const few = (inbox?.waitingCount ?? 0) * 2 <= context.maxWaitingMessages;
    connection.inboundBytes = inbox?.waitingBytes ?? 0;
    if (few && connection.readingPaused && connection.open) connection.resumeReading();
  };

  private readonly hasRoom = (topic: string, asked: number): boolean => {
    const { connection, context } = this;
    if (connection.has(topic)) return true;
    const most = context.maxTopicsPerConnection - asked;
    // A requested topic may already be a membership. The exact number matters only near the limit.
    return connection.membershipCount < most || connection.topics.length < most;
  };

  private readonly run = (task: Task): Promise<void> | undefined => {
    const { connection } = this;
    const { message, takenBack } = task;
    if (!connection.open) this.inbox?.clear();
    else if (message instanceof LiveError) this.responder.violated(message);
    else if (takenBack) this.responder.failed(message, canceledError());
    else return this.responder.handle(message);
    return undefined;
  };

  private readonly ended = ({ kind, lane }: Task): void => {
    const { connection, inbox } = this;
    if (kind !== 'subscribe' || connection.takenBack === undefined) return;
    // Two canceled subscribes may end in one turn. The last one allows the topic to be subscribed
    // again.
    const isTakenBack = (other: Task): boolean => other.begun && other.takenBack && !other.done;
    if (inbox?.subscribesTo(lane).some(isTakenBack) !== true) connection.takenBack.delete(lane);
  };
}
