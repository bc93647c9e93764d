import { isTemporary, type ErrorCode } from '../../protocol/codes.js';
import type { InboundMessage, RequestId } from '../../protocol/client-messages.js';
import { LiveError } from '../../protocol/live.error.js';

/** Number of refused publishes that are remembered, as PROTOCOL.md promises. [L-4.16] */
const maxRemembered = 100;

/**
 * Publishes of one connection that a client may retry. A publish `after` one of them is refused as
 * well, so that it does not overtake it. [L-4.16]
 */
export class RefusedPublishes {
  /** In order. Created with the first. */
  private ids: Set<RequestId> | undefined;

  /** Remembers a publish that was answered with this code, if it may be retried. */
  add({ type, id }: InboundMessage, code: ErrorCode): void {
    if (type !== 'publish' || id === undefined || !isTemporary(code)) return;
    const ids = (this.ids ??= new Set());
    // A repeated id becomes the newest.
    ids.delete(id);
    ids.add(id);
    for (const oldest of ids) if (ids.size > maxRemembered) ids.delete(oldest);
  }

  /** @throws LiveError `unavailable` if the message comes after a refused one. */
  check({ type, after }: InboundMessage): void {
    if (this.ids === undefined || type !== 'publish' || !this.ids.has(after as RequestId)) return;
    throw new LiveError('unavailable', 'The publication before this one was refused');
  }
}
