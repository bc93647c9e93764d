import type { ConnectionIdentity } from '../../core/ports/identity.js';
import { liveUserOf, userIdOf } from './checked-identity.js';
import { codeOf } from './refusal.js';
import type { SessionSettings } from './session-settings.js';

/** The session backend's answer about a cookie header. `why` is a short code for the log. */
export type SessionAnswer =
  | { readonly verdict: 'in'; readonly identity: ConnectionIdentity }
  | { readonly verdict: 'out'; readonly why: string }
  | { readonly verdict: 'unknown'; readonly why: string };

const maxAnswerBytes = 65_536;

/**
 * Asks the backend whose session a cookie header is; sends nothing else of the client's request.
 * Never rejects: without a clear answer in time, the verdict is `unknown`.
 */
export async function askSession(settings: SessionSettings, cookie: string): Promise<SessionAnswer> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // A race, because an abort signal does not stop reading a body whose request was
  // garbage-collected.
  const late = new Promise<SessionAnswer>((resolve) => {
    timer = setTimeout(() => resolve({ verdict: 'unknown', why: 'timeout' }), settings.timeoutMs);
  });
  try {
    return await Promise.race([ask(settings.url, cookie, abort.signal), late]);
  } finally {
    clearTimeout(timer);
    // Also after an answer, to discard the rest of an oversized body.
    abort.abort();
  }
}

async function ask(url: URL, cookie: string, signal: AbortSignal): Promise<SessionAnswer> {
  try {
    const headers = { cookie, accept: 'application/json' };
    const response = await fetch(url, { headers, redirect: 'error', signal });
    if (response.status === 401 || response.status === 403)
      return { verdict: 'out', why: `${response.status}` };
    if (response.status !== 200) return { verdict: 'unknown', why: `status ${response.status}` };
    const text = await textOf(response);
    return text === undefined ? { verdict: 'unknown', why: 'too large' } : answerOf(JSON.parse(text));
  } catch (error) {
    return { verdict: 'unknown', why: codeOf(error) };
  }
}

async function textOf(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) return undefined;
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

function answerOf(json: unknown): SessionAnswer {
  if (typeof json !== 'object' || json === null) return { verdict: 'unknown', why: 'not an object' };
  const { id, expiresAt } = json as { readonly id?: unknown; readonly expiresAt?: unknown };
  const text = userIdOf(id);
  if (text === undefined) return { verdict: 'unknown', why: 'no id' };
  const user = liveUserOf(json, text);
  if (expiresAt === undefined || expiresAt === null) return { verdict: 'in', identity: { user } };
  // An unreadable end must not become a session that never ends.
  if (!Number.isSafeInteger(expiresAt)) return { verdict: 'unknown', why: 'bad expiresAt' };
  return { verdict: 'in', identity: { user, expiresAt: expiresAt as number } };
}
