import { CloseCode } from '../../protocol/codes.js';
import { LiveError } from '../../protocol/live.error.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import type { Connection } from '../connection/connection.js';
import { takeAnswered, OpenSubscribe } from '../connection/pending-subscribe.js';
import type { Clock } from '../ports/clock.js';
import type { Observer } from '../ports/observer.js';
import { RefusedPublishes } from './refused-publishes.js';
import { Answers, type Failure, publicError, reply, replyError } from './reply.js';

/** Handles one type of message. Its result is the answer. */
export type Handler = (connection: Connection, message: InboundMessage) => unknown;

/** Returns the handler for a type, or `undefined` if there is none. */
export type FindHandler = (type: string) => Handler | undefined;

interface ResponderContext {
  readonly clock: Clock;
  readonly observer: Observer;
}

/** Maximum protocol violations of a peer. [L-2.12] */
const violationLimit = { count: 100, windowMs: 10_000 } as const;

/** Has each message of one connection handled, and answers it once. [L-2.14] */
export class Responder {
  /** Times of violations within the window. Usually unset. */
  private violationsMs: number[] | undefined;
  private readonly refused = new RefusedPublishes();

  constructor(
    private readonly connection: Connection,
    private readonly find: FindHandler,
    private readonly context: ResponderContext,
  ) {}

  /**
   * Passes the message to its handler and sends the result. Returns `undefined` if it is already
   * answered.
   */
  handle(message: InboundMessage): Promise<void> | undefined {
    const handler = this.find(message.type);
    if (handler === undefined) {
      this.refuse(message, new LiveError('not-implemented', 'Nothing handles this type'));
      return undefined;
    }
    try {
      this.refused.check(message);
      const answer = handler(this.connection, message);
      if (answer instanceof Promise || answer instanceof Answers) return this.answerLater(message, answer);
      reply(this.connection, message, answer);
    } catch (error) {
      this.failed(message, error);
    }
    return undefined;
  }

  private async answerLater(message: InboundMessage, result: Promise<unknown> | Answers): Promise<void> {
    const { connection } = this;
    let answered = false;
    try {
      const answer = await result;
      if (answer instanceof Answers) {
        await answer.forEach((value) => {
          if (!answered || answer.mayRepeat) reply(connection, message, value);
          answered ||= value !== undefined;
        });
      } else reply(connection, message, answer);
      this.settleSubscribe(message);
    } catch (error) {
      const bySubscribe = this.settleSubscribe(message);
      if (answered || bySubscribe) this.failedLate(error);
      else this.failed(message, error);
    }
  }

  /**
   * Returns whether a subscribe has answered by itself. If not, it is prevented from doing so.
   * [L-2.14]
   */
  private settleSubscribe({ type, topic, id }: InboundMessage): boolean {
    const { connection } = this;
    if (type !== 'subscribe' || typeof topic !== 'string') return false;
    if (takeAnswered(connection, topic, id)) return true;
    const pending = connection.membership(topic);
    if (pending instanceof OpenSubscribe && pending.withdraw(id)) connection.leave(topic);
    return false;
  }

  /**
   * The message was already answered, so a second `error` with the same id must not be sent.
   * [L-2.14]
   */
  private failedLate(error: unknown): void {
    // The peer of a subscribe was too slow for what it was sent.
    if (error instanceof LiveError && !this.connection.open) return;
    this.context.observer.failed('handling a message that was already answered', error, this.connection);
  }

  /** Handles a failed request. */
  failed(message: InboundMessage, error: unknown): void {
    const told = publicError(error);
    if (told !== error) this.context.observer.failed('handling a message', error, this.connection);
    if (told.code === 'protocol-violation') this.violated(told, message);
    else this.refuse(message, told);
  }

  /** Sends the error. */
  refuse(message: InboundMessage | undefined, error: Failure): void {
    this.context.observer.refused(error.code);
    if (message !== undefined) this.refused.add(message, error.code);
    replyError(this.connection, message, error);
  }

  /** Answers a protocol violation, and closes a peer with too many of them. */
  violated(error: LiveError, message?: InboundMessage): void {
    this.refuse(message, error);
    const now = this.context.clock.now();
    const times = (this.violationsMs ??= []);
    times.push(now);
    while (now - (times[0] ?? now) > violationLimit.windowMs) times.shift();
    if (times.length > violationLimit.count) {
      this.connection.close(CloseCode.tooManyViolations, 'too many protocol violations');
    }
  }
}
