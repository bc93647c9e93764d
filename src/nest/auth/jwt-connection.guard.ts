import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  type OnModuleInit,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import type { ConnectionIdentity } from '../../core/connection/live-user.js';
import { LIVE_OPTIONS } from '../live.module-definition.js';
import type { LiveModuleOptions } from '../live.options.js';
import { liveUserOf, setConnectionIdentity } from './connection-identity.js';
import { credentialOf, isToken } from './credentials.js';
import { type JwtSettings, jwtSettingsOf } from './jwt-settings.js';
import { createJwtVerifier, type JwtVerifier } from './jwt-verifier.js';
import { retryAfterSeconds, unauthorized } from './refusal.js';

/** The last instant that a `Date` can name; an `exp` beyond it would not survive JSON. */
const lastInstantMs = 8.64e15;

/**
 * Lets in who shows a good JSON Web Token, as `options.jwt` says. [L-1.2] [L-1.6] Needs the package `jose`.
 * `sub` becomes the user's id, every other claim stays on the user; `exp` is when the connection ends.
 * Throws a start error on wrong options, and at `onModuleInit` when jose is not installed.
 */
@Injectable()
export class JwtConnectionGuard implements CanActivate, OnModuleInit {
  private readonly settings: JwtSettings;
  private verifier: Promise<JwtVerifier> | undefined;

  constructor(@Inject(LIVE_OPTIONS) options: LiveModuleOptions) {
    this.settings = jwtSettingsOf(options.jwt);
  }

  async onModuleInit(): Promise<void> {
    await this.load();
  }

  /**
   * Resolves to `true` or rejects, never `false`: 401 with `WWW-Authenticate` for a missing or bad token,
   * 503 with `Retry-After` when the issuer's keys cannot be had.
   */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<IncomingMessage>();
    const response = http.getResponse<ServerResponse>();
    const credential = credentialOf(request);
    if (!credential) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="live"');
      throw unauthorized('no token');
    }
    try {
      setConnectionIdentity(request, await this.verify(credential.token));
      return true;
    } catch (error) {
      if (error instanceof UnauthorizedException) {
        response.setHeader('WWW-Authenticate', 'Bearer realm="live", error="invalid_token"');
      }
      if (error instanceof ServiceUnavailableException) response.setHeader('Retry-After', retryAfterSeconds);
      throw error;
    }
  }

  /**
   * Who a token speaks for, for a credential that comes over the open connection.
   * Rejects with `UnauthorizedException` for a bad token, `ServiceUnavailableException` when it cannot be checked.
   * Neither holds any part of the token; `cause` is a short code for the log.
   */
  async verify(token: string): Promise<ConnectionIdentity> {
    if (!isToken(token)) throw unauthorized('not a token');
    const verifier = await this.load();
    const claims = await verifier(token);
    const { sub, exp } = claims;
    if (typeof sub !== 'string' || sub === '') throw unauthorized('no sub');
    const user = liveUserOf(claims, sub);
    return typeof exp === 'number'
      ? { user, expiresAt: Math.min(Math.floor(exp * 1000), lastInstantMs) }
      : { user };
  }

  private load(): Promise<JwtVerifier> {
    this.verifier ??= createJwtVerifier(this.settings);
    return this.verifier;
  }
}
