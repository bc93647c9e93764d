import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { PublishRefusal } from '../../core/ports/publish-refusal.js';

/** The message exceeds `max_msg_size` of the stream. */
const largerThanStream = 10_054;

/**
 * Converts the error of an append: a `PublishRefusal` if the server refused it, otherwise the error
 * itself.
 *
 * @param alone - whether the message held a single publication; among several the too-large one is
 *   unknown
 */
export function publishFailure(error: unknown, alone: boolean): unknown {
  if (isPermissionViolation(error))
    return new PublishRefusal('refused', 'NATS refuses publications: a permission is missing', {
      cause: error,
    });
  if (!(error instanceof JetStreamApiError)) return error;
  if (error.code === largerThanStream && alone)
    return new PublishRefusal('too-large', 'The publication is larger than the NATS stream accepts', {
      cause: error,
    });
  return new PublishRefusal('refused', `NATS refuses publications: ${error.message}`, { cause: error });
}

/** The client wraps the error if it answered a request. */
function isPermissionViolation(error: unknown): boolean {
  if (error instanceof errors.PermissionViolationError) return true;
  return error instanceof Error && error.cause instanceof errors.PermissionViolationError;
}
