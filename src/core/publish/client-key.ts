import { createHash } from 'node:crypto';

/** Keeps the keys of clients apart from those of the application. */
const clientHead = 'client:';

/**
 * The idempotency key under which the broker knows that of a user's client. A user cannot suppress
 * what another one publishes. Hashed, because ids and keys have any characters and length. [L-4.15]
 */
export function clientKeyOf(userId: string | undefined, key: string): string {
  const user = userId === undefined ? '' : `${String(userId.length)}:${userId}`;
  return clientHead + createHash('sha256').update(`${user}/${key}`, 'utf16le').digest('base64url');
}
