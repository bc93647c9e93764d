import type { IncomingMessage, ServerResponse } from 'node:http';
import { types } from 'node:util';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type OnModuleInit,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import { LIVE_OPTIONS } from '../options/live.tokens.js';
import type { LiveModuleOptions } from '../options/live.options.js';
import { setConnectionIdentity } from './connection-identity.js';
import { credentialOf, isToken } from './credentials.js';
import { type JwtSettings } from './jwt-settings.js';
import { jwtSettingsOf } from './resolve-jwt.js';
import { createJwtVerifier, type JwtVerifier } from './jwt-verifier.js';
import { retryAfterSeconds, unauthorized } from './refusal.js';
import { logEntry } from '../logging/log-entry.js';
import { identityOf } from './identity-of-claims.js';

/**
 * Accepts clients with a valid JSON Web Token, as configured by `options.jwt`. [L-1.2] [L-1.6]
 * Requires the package `jose`. `sub`, a text or a safe integer, becomes the user's id as text; all
 * other claims stay on the user; `exp` ends the connection. Throws a start error for invalid
 * options, and in `onModuleInit` if jose is not installed.
 */
@Injectable()
export class JwtConnectionGuard implements CanActivate, OnModuleInit {
  private readonly logger = new Logger('Live');
  private readonly settings: JwtSettings;
  /** Set once jose is loaded. */
  private verifier: JwtVerifier | undefined;
  private loading: Promise<JwtVerifier> | undefined;

  constructor(@Inject(LIVE_OPTIONS) options: LiveModuleOptions) {
    this.settings = jwtSettingsOf(options.jwt);
  }

  /**
   * Loads jose; called by Nest.
   *
   * @throws Error if jose is not installed
   */
  async onModuleInit(): Promise<void> {
    await this.load();
  }

  /**
   * Returns `true`, throws or rejects; never returns `false`. Responds with 401 and
   * `WWW-Authenticate` to a missing or invalid token, and with 503 and `Retry-After` if the
   * issuer's keys are unavailable. With `secret`, a valid ordinary token is accepted synchronously;
   * other tokens, and keys to be fetched, take a promise.
   */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<IncomingMessage>();
    const credential = credentialOf(request, this.settings.cookieName);
    if (!credential) {
      http.getResponse<ServerResponse>().setHeader('WWW-Authenticate', 'Bearer realm="live"');
      throw unauthorized('no token');
    }
    try {
      const identity = this.identify(credential.token);
      if (!types.isPromise(identity)) return letIn(request, identity);
      return identity
        .then((found) => letIn(request, found))
        .catch((error) => refuse(http.getResponse(), error));
    } catch (error) {
      return refuse(http.getResponse(), error);
    }
  }

  /**
   * Identifies the user of a token sent over an open connection. Rejects with
   * `UnauthorizedException` for an invalid token, and `ServiceUnavailableException` if it cannot be
   * checked. Neither contains any part of the token; `cause` is a short code for the log.
   */
  async verify(token: string): Promise<ConnectionIdentity> {
    return this.identify(token);
  }

  private identify(token: string): ConnectionIdentity | Promise<ConnectionIdentity> {
    if (!isToken(token)) throw unauthorized('not a token');
    const { verifier } = this;
    if (verifier === undefined) return this.load().then(() => this.identify(token));
    const claims = verifier(token);
    return types.isPromise(claims) ? claims.then(identityOf) : identityOf(claims);
  }

  private readonly warnOfStale = (reason: string): void => {
    this.logger.warn(logEntry({ msg: 'key server unavailable, using its last keys', reason }));
  };

  private load(): Promise<JwtVerifier> {
    this.loading ??= createJwtVerifier(this.settings, undefined, this.warnOfStale).then(
      (verifier) => (this.verifier = verifier),
    );
    return this.loading;
  }
}

function letIn(request: IncomingMessage, identity: ConnectionIdentity): true {
  setConnectionIdentity(request, identity);
  return true;
}

function refuse(response: ServerResponse, error: unknown): never {
  if (error instanceof UnauthorizedException) {
    response.setHeader('WWW-Authenticate', 'Bearer realm="live", error="invalid_token"');
  }
  if (error instanceof ServiceUnavailableException) response.setHeader('Retry-After', retryAfterSeconds);
  throw error;
}
