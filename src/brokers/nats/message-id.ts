import { createHash } from 'node:crypto';

/** The `Nats-Msg-Id` for an idempotency key: a hash, so its length is fixed. */
export function idOf(topic: string, idempotencyKey: string): string {
  return createHash('sha256')
    .update(`${String(topic.length)}:${topic}${idempotencyKey}`, 'utf16le')
    .digest('base64url');
}
