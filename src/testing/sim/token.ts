import type { ConnectionIdentity } from '../../core/ports/identity.js';

/** The content of a simulated credential. */
export interface Token {
  readonly userId: string;
  /** One bit per topic, by its index. */
  readonly rights: number;
  /** Milliseconds since 1970; 0 if the credential never expires. */
  readonly expiresAt: number;
}

/** Encodes a credential; `serial` makes each text unique. */
export function tokenText({ userId, rights, expiresAt }: Token, serial: number): string {
  return [userId, rights, expiresAt, serial].join('.');
}

/** Returns `undefined` for a text that was never issued. */
export function tokenOf(text: string): Token | undefined {
  const [userId = '', rights, expiresAt, serial] = text.split('.');
  if (serial === undefined) return undefined;
  return { userId, rights: Number(rights), expiresAt: Number(expiresAt) };
}

/** The identity that the server derives from a credential. */
export function identityOf(text: string): ConnectionIdentity | undefined {
  const token = tokenOf(text);
  if (token === undefined) return undefined;
  const { userId, rights, expiresAt } = token;
  const user = { id: userId, rights, token: text };
  return { user, ...(expiresAt > 0 && { expiresAt }) };
}
