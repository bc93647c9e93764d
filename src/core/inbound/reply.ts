import type { ErrorMessage } from '../../protocol/messages.js';
import type { InboundMessage } from '../../protocol/client-messages.js';
import { LiveError, type LiveErrorDetails } from '../../protocol/live.error.js';
import type { ErrorCode } from '../../protocol/codes.js';
import { isClientTopic } from '../../protocol/topic-name.js';
import type { Connection } from '../connection/connection.js';

/** Answers of a handler that arrive over time, for instance the values of an Observable. */
export abstract class Answers {
  /** Whether every value is an answer. Otherwise only the first one is sent. [L-2.14] */
  abstract readonly mayRepeat: boolean;
  /** Resolves when all answers have arrived. */
  abstract forEach(next: (value: unknown) => void): Promise<void>;
}

/** Sends the result of a handler with the request's id. [L-2.13] */
export function reply(connection: Connection, request: InboundMessage, value: unknown): void {
  if (value === undefined) return;
  const identity = request.id === undefined ? undefined : { id: request.id };
  if (hasType(value)) {
    const { type, ...fields } = value;
    // `id` appears twice: once to follow the type, and last to override an id in the result.
    connection.send({ type, ...identity, ...fields, ...identity });
  } else {
    connection.send({ type: request.type, ...identity, data: value } as { type: string });
  }
}

/** The fields of a `LiveError`. A plain object is cheaper when thousands are needed. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: LiveErrorDetails;
}

/**
 * Tells the peer that its request failed. `request` is absent if there was no valid one. [L-2.10]
 */
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
    ...(isClientTopic(topic) && { topic }),
    ...error.details,
  };
  connection.send(message);
}

/** Converts an error for the peer. Only the text of a `LiveError` is passed on. [L-2.11] */
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
