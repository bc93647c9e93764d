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
import { liveUserOf, setConnectionIdentity, userIdOf } from './connection-identity.js';
import { credentialOf, isToken } from './credentials.js';
import { type JwtSettings, jwtSettingsOf } from './jwt-settings.js';
import { createJwtVerifier, type JwtVerifier } from './jwt-verifier.js';
import type { Claims } from './plain-claims.js';
import { retryAfterSeconds, unauthorized } from './refusal.js';
import { logEntry } from '../logging/log-entry.js';

/** The last instant that a `Date` can name; an `exp` beyond it would not survive JSON. */
const lastInstantMs = 8.64e15;

/**
 * Lets in who shows a good JSON Web Token, as `options.jwt` says. [L-1.2] [L-1.6] Needs the package `jose`.
 * `sub`, a text or a safe integer, becomes the user's id as text; every other claim stays on the user; `exp` is when the connection ends.
 * Throws a start error on wrong options, and at `onModuleInit` when jose is not installed.
 */
@Injectable()
export class JwtConnectionGuard implements CanActivate, OnModuleInit {
  private readonly logger = new Logger('Live');
  private readonly settings: JwtSettings;
  /** Present once jose is loaded. */
  private verifier: JwtVerifier | undefined;
  private loading: Promise<JwtVerifier> | undefined;

  constructor(@Inject(LIVE_OPTIONS) options: LiveModuleOptions) {
    this.settings = jwtSettingsOf(options.jwt);
  }

  async onModuleInit(): Promise<void> {
    await this.load();
  }

  /**
   * `true`, or it throws or rejects, never `false`: 401 with `WWW-Authenticate` for a missing or bad token, 503 with
   * `Retry-After` when the issuer's keys cannot be had. With `secret` an ordinary token that is good is decided about at
   * once; a promise is for the others, and for keys that must be asked for.
   */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<IncomingMessage>();
    const response = http.getResponse<ServerResponse>();
    const credential = credentialOf(request, this.settings.cookieName);
    if (!credential) {
      response.setHeader('WWW-Authenticate', 'Bearer realm="live"');
      throw unauthorized('no token');
    }
    try {
      const identity = this.identify(credential.token);
      if (!types.isPromise(identity)) return letIn(request, identity);
      return identity.then((found) => letIn(request, found)).catch((error) => refuse(response, error));
    } catch (error) {
      return refuse(response, error);
    }
  }

  /**
   * Who a token speaks for, for a credential that comes over the open connection.
   * Rejects with `UnauthorizedException` for a bad token, `ServiceUnavailableException` when it cannot be checked.
   * Neither holds any part of the token; `cause` is a short code for the log.
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
    this.logger.warn(logEntry({ msg: 'key server away, its last keys are used', reason }));
  };

  private load(): Promise<JwtVerifier> {
    this.loading ??= createJwtVerifier(this.settings, undefined, this.warnOfStale).then(
      (verifier) => (this.verifier = verifier),
    );
    return this.loading;
  }
}

function identityOf(claims: Claims): ConnectionIdentity {
  const { sub, exp } = claims;
  const id = userIdOf(sub);
  if (id === undefined) throw unauthorized(faultOf(sub));
  const user = liveUserOf(claims, id);
  return typeof exp === 'number'
    ? { user, expiresAt: Math.min(Math.floor(exp * 1000), lastInstantMs) }
    : { user };
}

/** Why a `sub` is no user's id, for the log; never its value. */
function faultOf(sub: unknown): string {
  if (sub === undefined) return 'no sub';
  if (sub === '') return 'sub is empty';
  return typeof sub === 'number'
    ? 'sub is a number, but no integer within 2^53'
    : `sub is ${sub === null ? 'null' : `of type ${typeof sub}`}, but must be text or an integer`;
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
