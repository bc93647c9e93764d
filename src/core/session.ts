import { CloseCode } from '../protocol/codes.js';
import type { InboundMessage } from '../protocol/messages.js';
import { LiveError } from '../protocol/live.error.js';
import type { Connection } from './connection/connection.js';
import { type PaceContext, takePong, tooSoonMs } from './connection/pace.js';
import { takeAnswered } from './connection/self-answered.js';
import { readEnvelope, textOf } from './envelope.js';
import type { Clock } from './ports/clock.js';
import type { Observer } from './ports/observer.js';
import { Answers, type Failure, publicError, reply, replyError } from './reply.js';

/** Takes one kind of message; what it returns is the answer. */
export type Handler = (message: InboundMessage) => unknown;

/** Finds who takes a type of message; `undefined` when nobody does. */
export type FindHandler = (type: string) => Handler | undefined;

export interface SessionContext extends PaceContext {
  readonly clock: Clock;
  readonly observer: Observer;
  readonly maxWaitingMessages: number;
  /** Told once, when the peer is gone. */
  onEnd(connection: Connection, code: number, reason: string): void;
}

/** How many of the waiting messages a subscribe looks through. */
const lookAhead = 64;

/** Messages of one connection that are handled before the others have their turn. */
const messagesPerTurn = 16;

/** How often a peer may break the protocol. [L-2.12] */
const violationLimit = { count: 100, windowMs: 10_000 } as const;

/** An error without its stack: one is made for each message that is refused. [L-9.10] */
const tooFast = { code: 'rate-limited', message: 'Too many messages in this time' } as const;

/** What comes in on one connection: read, put in order, handed to who takes it, one at a time. [L-2.8] */
export class Session {
  private waiting: (InboundMessage | LiveError)[] | undefined;
  private busy = false;
  /** What is being handled. */
  private current: InboundMessage | undefined;
  private ended = false;
  /** When the peer broke the protocol within the window; mostly it never does. */
  private violationsMs: number[] | undefined;

  constructor(
    readonly connection: Connection,
    private readonly find: FindHandler,
    private readonly context: SessionContext,
  ) {}

  /** One text message. */
  received(text: string, byteLength = text.length): void {
    const { connection, context } = this;
    connection.heard();
    if (!connection.open) return;
    const waitMs = tooSoonMs(connection, context, byteLength);
    if (!connection.open) return;
    const message = readEnvelope(text);
    if (waitMs > 0) {
      this.refuse(message, waitMs);
      return;
    }
    context.observer.inbound(this.label(message));
    if (!(message instanceof LiveError)) this.cancelPending(message);
    if (this.busy) this.wait(message);
    else void this.work(message);
  }

  /** A binary frame. [L-2.3] */
  receivedBinary(): void {
    this.connection.close(CloseCode.unsupportedData, 'text frames only');
  }

  /** A ping, which has its pong already. [L-9.12] */
  pinged(byteLength = 0): void {
    this.connection.heard();
    tooSoonMs(this.connection, this.context, byteLength);
  }

  /** A pong: the peer lives. */
  heard(byteLength = 0): void {
    this.connection.ponged();
    takePong(this.connection, this.context, byteLength);
  }

  /** The socket is gone; only the first call counts. */
  finished(code: number, reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.waiting = undefined;
    try {
      this.connection.gone();
    } finally {
      const how = this.connection.closedWith ?? { code, reason };
      this.context.onEnd(this.connection, how.code, how.reason);
    }
  }

  private refuse(message: InboundMessage | LiveError, waitMs: number): void {
    const request = message instanceof LiveError ? undefined : message;
    this.tell(request, { ...tooFast, details: { retryAfterMs: Math.ceil(waitMs) } });
  }

  private label(message: InboundMessage | LiveError): string {
    if (message instanceof LiveError) return 'invalid';
    return this.find(message.type) === undefined ? 'unknown' : message.type;
  }

  /** An unsubscribe need not wait for the subscribe that it takes back. [L-3.7] */
  private cancelPending({ type, topic }: InboundMessage): void {
    const { connection, current } = this;
    if (current === undefined || type !== 'unsubscribe' || typeof topic !== 'string') return;
    connection.cancelPending(topic);
    // The verb may not have begun: guards and pipes come first.
    if (current.type === 'subscribe' && current['topic'] === topic) connection.takenBack = topic;
  }

  private wait(message: InboundMessage | LiveError): void {
    this.waiting ??= [];
    this.waiting.push(message);
    const { connection, waiting } = this;
    if (connection.readingPaused || waiting.length < this.context.maxWaitingMessages) return;
    connection.pauseReading();
    this.context.observer.readingPaused(connection);
  }

  private async work(first: InboundMessage | LiveError): Promise<void> {
    this.busy = true;
    let handled = 0;
    for (let next: InboundMessage | LiveError | undefined = first; next !== undefined; next = this.next()) {
      if (next instanceof LiveError) this.violated(next);
      else await this.begin(next);
      this.connection.takenBack = this.connection.publishText = this.current = undefined;
      handled += 1;
      if (handled % messagesPerTurn === 0) await this.nextTurn();
    }
    this.busy = false;
  }

  /** What one read brings may be thousands of messages: the others' sockets have their turn in between. */
  private nextTurn(): Promise<void> {
    return new Promise((resolve) => this.context.clock.soon(resolve));
  }

  private begin(message: InboundMessage): Promise<void> {
    this.current = message;
    this.connection.publishText = textOf(message);
    if (message.type === 'subscribe') {
      // What takes it back may be waiting behind it already.
      for (const next of this.waiting?.slice(0, lookAhead) ?? []) {
        if (!(next instanceof LiveError) && next['topic'] === message['topic']) this.cancelPending(next);
      }
    }
    return this.handle(message);
  }

  private next(): InboundMessage | LiveError | undefined {
    if (!this.connection.open) this.waiting = undefined;
    const next = this.waiting?.shift();
    const few = (this.waiting?.length ?? 0) * 2 <= this.context.maxWaitingMessages;
    if (few && this.connection.readingPaused && this.connection.open) this.connection.resumeReading();
    return next;
  }

  private async handle(message: InboundMessage): Promise<void> {
    const { connection } = this;
    const handler = this.find(message.type);
    if (handler === undefined) {
      this.tell(message, new LiveError('not-implemented', 'Nothing handles this type'));
      return;
    }
    const isSubscribe = message.type === 'subscribe';
    if (isSubscribe) takeAnswered(connection, message['topic']);
    let answered = false;
    try {
      const result = handler(message);
      const answer: unknown = result instanceof Promise ? await result : result;
      if (answer instanceof Answers) {
        await answer.forEach((value) => {
          if (!answered || answer.mayRepeat) reply(connection, message, value);
          answered ||= value !== undefined;
        });
      } else reply(connection, message, answer);
      if (isSubscribe) this.settleSubscribe(message);
    } catch (error) {
      const bySubscribe = isSubscribe && this.settleSubscribe(message);
      if (answered || bySubscribe) this.failedLate(error);
      else this.failed(message, error);
    }
  }

  /** Whether the subscribe has answered by itself. One that has not, and is decided otherwise, never will. [L-2.14] */
  private settleSubscribe({ topic }: InboundMessage): boolean {
    if (takeAnswered(this.connection, topic)) return true;
    if (typeof topic === 'string') this.connection.cancelPending(topic);
    return false;
  }

  /** The peer has its answer: an `error` under the same id would be a second one. [L-2.14] */
  private failedLate(error: unknown): void {
    // A subscribe whose peer turned out to be too slow for what it was sent.
    if (error instanceof LiveError && !this.connection.open) return;
    this.context.observer.failed('handling a message that was already answered', error, this.connection);
  }

  private failed(message: InboundMessage, error: unknown): void {
    const told = publicError(error);
    if (told !== error) this.context.observer.failed('handling a message', error, this.connection);
    if (told.code === 'protocol-violation') this.violated(told, message);
    else this.tell(message, told);
  }

  private tell(message: InboundMessage | undefined, error: Failure): void {
    this.context.observer.refused(error.code);
    replyError(this.connection, message, error);
  }

  /** The peer broke the protocol: it is told, and closed when it does so too often. */
  violated(error: LiveError, message?: InboundMessage): void {
    this.tell(message, error);
    const now = this.context.clock.now();
    const times = (this.violationsMs ??= []);
    times.push(now);
    while (now - (times[0] ?? now) > violationLimit.windowMs) times.shift();
    if (times.length > violationLimit.count) {
      this.connection.close(CloseCode.tooManyViolations, 'too many protocol violations');
    }
  }
}
