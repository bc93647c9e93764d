import { createHash } from 'node:crypto';

/** The server's own word for an idempotency key: of one length, whatever the topic and the key are. */
export function idOf(topic: string, idempotencyKey: string): string {
  return createHash('sha256')
    .update(`${String(topic.length)}:${topic}${idempotencyKey}`, 'utf16le')
    .digest('base64url');
}
