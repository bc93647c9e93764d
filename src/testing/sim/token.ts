import type { ConnectionIdentity } from '../../core/ports/identity.js';

/** What a credential of the simulation says. */
export interface Token {
  readonly userId: string;
  /** One bit for each topic, by its place in the list. */
  readonly rights: number;
  /** Milliseconds since 1970; 0 for a credential without an end. */
  readonly expiresAt: number;
}

/** Each text is made once: `serial` sees to it. */
export function tokenText({ userId, rights, expiresAt }: Token, serial: number): string {
  return [userId, rights, expiresAt, serial].join('.');
}

/** `undefined` for what nobody issued. */
export function tokenOf(text: string): Token | undefined {
  const [userId = '', rights, expiresAt, serial] = text.split('.');
  if (serial === undefined) return undefined;
  return { userId, rights: Number(rights), expiresAt: Number(expiresAt) };
}

/** The identity that the server makes of it. */
export function identityOf(text: string): ConnectionIdentity | undefined {
  const token = tokenOf(text);
  if (token === undefined) return undefined;
  const { userId, rights, expiresAt } = token;
  const user = { id: userId, rights, token: text };
  return { user, ...(expiresAt > 0 && { expiresAt }) };
}
