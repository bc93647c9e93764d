import type { ErrorMessage, InboundMessage } from '../../protocol/messages.js';
import { LiveError, type LiveErrorDetails } from '../../protocol/live.error.js';
import type { ErrorCode } from '../../protocol/codes.js';
import { isTopicName } from '../../protocol/topic-name.js';
import type { Connection } from '../connection/connection.js';

/** What a handler returns that answers little by little: the values of an Observable, for one. */
export abstract class Answers {
  /** Whether each value is an answer; else the first one is, and the others go nowhere. [L-2.14] */
  abstract readonly mayRepeat: boolean;
  /** Resolves at the end of them. */
  abstract forEach(next: (value: unknown) => void): Promise<void>;
}

/** Sends what a handler returned, with the request's id. [L-2.13] */
export function reply(connection: Connection, request: InboundMessage, value: unknown): void {
  if (value === undefined) return;
  const identity = request.id === undefined ? undefined : { id: request.id };
  if (hasType(value)) {
    const { type, ...fields } = value;
    // Twice: it stands behind the type, and no id of its own takes its place.
    connection.send({ type, ...identity, ...fields, ...identity });
  } else {
    connection.send({ type: request.type, ...identity, data: value } as { type: string });
  }
}

/** What a `LiveError` says; where thousands may be needed, a plain object says it, too. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: LiveErrorDetails;
}

/** Tells the peer that its request failed; `request` is absent where there was none to speak of. [L-2.10] */
export function replyError(
  connection: Connection,
  request: InboundMessage | undefined,
  error: Failure,
): void {
  const topic = request?.['topic'];
  const message: ErrorMessage = {
    type: 'error',
    ...(request?.id !== undefined && { id: request.id }),
    code: error.code,
    message: error.message,
    ...(isTopicName(topic) && { topic }),
    ...error.details,
  };
  connection.send(message);
}

/** An error as the peer may see it: its own words only where they were meant for it. [L-2.11] */
export function publicError(error: unknown): LiveError {
  return error instanceof LiveError
    ? error
    : new LiveError('internal', 'The server failed to handle this message');
}

function hasType(value: unknown): value is { type: string } {
  return (
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
  );
}
