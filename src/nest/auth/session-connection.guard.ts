import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import { LIVE_OPTIONS } from '../options/live.tokens.js';
import type { LiveModuleOptions } from '../options/live.options.js';
import { setConnectionIdentity } from './connection-identity.js';
import { retryAfterSeconds, unauthorized, unavailable } from './refusal.js';
import { Remembered } from './remembered.js';
import { askSession, type SessionAnswer } from './session-answer.js';
import { type SessionSettings, sessionSettingsOf } from './session-settings.js';

const maxRemembered = 10_000;

/**
 * Accepts clients whose session the application's backend knows, as configured by
 * `options.session`. [L-1.6] Only the cookie header is sent there. A positive answer is cached for
 * `cacheMs`, but not beyond its `expiresAt`; a negative one never is. Concurrent handshakes with
 * the same cookies share one request. Near a session's end, and during the grace after it, the
 * backend is asked again, and the connection continues if the session does. [L-7.6] Throws a start
 * error for invalid options.
 */
@Injectable()
export class SessionConnectionGuard implements CanActivate {
  /** Makes the module require an explicit list of allowed origins. [L-1.7] */
  static readonly usesCookies = true;

  private readonly settings: SessionSettings;
  private readonly remembered: Remembered<ConnectionIdentity>;
  private readonly asked = new Map<string, Promise<SessionAnswer>>();

  constructor(@Inject(LIVE_OPTIONS) options: LiveModuleOptions) {
    this.settings = sessionSettingsOf(options.session);
    this.remembered = new Remembered(this.settings.cacheMs, maxRemembered);
  }

  /**
   * Resolves to `true` or rejects; never resolves to `false`. Responds with 401 and
   * `WWW-Authenticate` without cookies or session, and with 503 and `Retry-After` if the backend
   * gives no clear answer in time.
   */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<IncomingMessage>();
    const cookie = request.headers.cookie?.trim();
    const answer: SessionAnswer = cookie ? await this.answerTo(cookie) : { verdict: 'out', why: 'no cookie' };
    if (answer.verdict === 'in' && !hasEnded(answer.identity)) {
      const { user, ...rest } = answer.identity;
      // Each connection gets its own object, so that handlers cannot affect the user's other tabs.
      setConnectionIdentity(request, { ...rest, user: user && { ...user } });
      return true;
    }
    const response = http.getResponse<ServerResponse>();
    if (answer.verdict === 'unknown') {
      response.setHeader('Retry-After', retryAfterSeconds);
      throw unavailable(answer.why);
    }
    response.setHeader('WWW-Authenticate', 'Cookie realm="live"');
    throw unauthorized(answer.verdict === 'out' ? answer.why : 'ended');
  }

  /**
   * Asks the backend whose session a cookie header is now, for an open connection, bypassing the
   * cache. Returns `undefined` if the session is over; rejects if the backend gives no clear
   * answer.
   */
  async renew(cookieHeader: string): Promise<ConnectionIdentity | undefined> {
    const cookie = cookieHeader.trim();
    const key = keyOf(cookie);
    const answer = await (this.asked.get(key) ?? this.share(key, cookie));
    if (answer.verdict === 'unknown') throw unavailable(answer.why);
    if (answer.verdict === 'out' || hasEnded(answer.identity)) return undefined;
    const { user } = answer.identity;
    return { ...answer.identity, user: user && { ...user } };
  }

  private answerTo(cookie: string): Promise<SessionAnswer> {
    const key = keyOf(cookie);
    const identity = this.remembered.get(key);
    if (identity && !hasEnded(identity)) return Promise.resolve({ verdict: 'in', identity });
    return this.asked.get(key) ?? this.share(key, cookie);
  }

  private share(key: string, cookie: string): Promise<SessionAnswer> {
    const asked = this.ask(key, cookie);
    this.asked.set(key, asked);
    return asked;
  }

  private async ask(key: string, cookie: string): Promise<SessionAnswer> {
    const answer = await askSession(this.settings, cookie);
    this.asked.delete(key);
    if (answer.verdict === 'in') this.remembered.set(key, answer.identity);
    return answer;
  }
}

/** Hashed, so that a heap dump of the cache contains no session. */
function keyOf(cookie: string): string {
  return createHash('sha256').update(cookie).digest('base64');
}

function hasEnded({ expiresAt }: ConnectionIdentity): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}
