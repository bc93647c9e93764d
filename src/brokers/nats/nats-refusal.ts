import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { PublishRefusal } from '../../core/ports/publish-refusal.js';

/** `max_msg_size` of the stream. */
const largerThanStream = 10_054;

/**
 * What a failed append means: a refusal where the server answered with one, else the error itself.
 *
 * @param alone whether there was one publication in the message: of several nobody knows which one was too large
 */
export function publishFailure(error: unknown, alone: boolean): unknown {
  if (isPermissionViolation(error))
    return new PublishRefusal('refused', 'NATS refuses publications: a right is missing', { cause: error });
  if (!(error instanceof JetStreamApiError)) return error;
  if (error.code === largerThanStream && alone)
    return new PublishRefusal('too-large', 'The publication is larger than the NATS stream takes', {
      cause: error,
    });
  return new PublishRefusal('refused', `NATS refuses publications: ${error.message}`, { cause: error });
}

/** The client wraps it where it was the answer to a request. */
function isPermissionViolation(error: unknown): boolean {
  if (error instanceof errors.PermissionViolationError) return true;
  return error instanceof Error && error.cause instanceof errors.PermissionViolationError;
}
