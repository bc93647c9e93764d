import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** Messages that were posted, with what the guards found. [L-12.8] */
export interface Posted {
  /** Hash of the user's id; `null` for none. */
  readonly user: string | null;
  /** Number of the `POST` in its session, from 1. */
  readonly sequence: number;
  /** One message a line; empty to answer a ping. */
  readonly text: string;
}

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** The key of a session's messages. Its owner keeps it in place of the secret. [L-12.11] */
export function sealingKeyOf(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', 'nestjs-live: messages of a session', 32));
}

/** Makes a `POST` unreadable, and impossible to forge, for everybody without the key. */
export function seal({ user, sequence, text }: Posted, key: Uint8Array): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce);
  const sealed = cipher.update(JSON.stringify([user, sequence, text]));
  return Buffer.concat([nonce, sealed, cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** Opens what `seal` has made with this key. `undefined` for anything else. Never throws. */
export function unseal(sealed: string, key: Uint8Array): Posted | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.byteLength < nonceBytes + tagBytes) return undefined;
  const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  const opened = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
  try {
    decipher.final();
    return postedOf(JSON.parse(opened.toString()));
  } catch {
    return undefined;
  }
}

/** A client knows the secret of its own session, so not only instances can seal. */
function postedOf(fields: unknown): Posted | undefined {
  const [user, sequence, text] = fields as readonly unknown[];
  if ((user !== null && typeof user !== 'string') || !Number.isSafeInteger(sequence)) return undefined;
  return typeof text === 'string' ? { user, sequence: sequence as number, text } : undefined;
}
