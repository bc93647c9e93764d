import type { IncomingMessage } from 'node:http';
import { types } from 'node:util';
import { type CanActivate, ForbiddenException, HttpException, type Type } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import { Refusal } from '../../ws/refusal.js';
import { askGuards } from '../gateway/ask-guards.js';
import type { LiveGateway } from '../gateway/live.gateway.js';
import { connectionIdentityOf } from './connection-identity.js';
import { reasonOf } from './refusal.js';
import { guardsBefore } from './guards-before.js';
import { UpgradeContext } from './upgrade-context.js';

/** Response headers that the server writes itself. */
const ownHeaders = new Set(['connection', 'content-length', 'content-type', 'transfer-encoding', 'date']);

const undecided = 'The handshake could not be decided';

const nobody: ConnectionIdentity = { user: null };

/**
 * Runs the application's Nest guards before an upgrade, as for a controller's route. [L-1.6] Guards
 * that answer at once are asked without a promise: a crowd that comes back is all handshakes.
 */
export class UpgradeGuards {
  private readonly guards: readonly CanActivate[];
  private readonly gateway: Type;
  private readonly handler: LiveGateway['handleUpgrade'];

  constructor(contexts: ExternalContextCreator, gateway: LiveGateway) {
    this.handler = gateway.handleUpgrade;
    this.gateway = gateway.constructor as Type;
    this.guards = guardsBefore(contexts, gateway);
  }

  /**
   * The identity if all guards accept. Throws or rejects with a `Refusal`, or with a guard's own
   * error if it is not an HTTP answer.
   *
   * @param address - the client's, available to guards as `request.ip`
   */
  authenticate(request: IncomingMessage, address: string): ConnectionIdentity | Promise<ConnectionIdentity> {
    const identity = this.identify(request, address);
    return types.isPromise(identity) ? identity.then((found) => found ?? nobody) : (identity ?? nobody);
  }

  /** Like `authenticate`, but `null` if no guard reported a user. */
  identify(
    request: IncomingMessage,
    address: string,
  ): ConnectionIdentity | null | Promise<ConnectionIdentity | null> {
    Object.defineProperty(request, 'ip', { value: address, configurable: true, writable: true });
    const context = new UpgradeContext(request, this.gateway, this.handler);
    try {
      const passed = askGuards(this.guards, context, forbidden);
      if (passed === undefined) return connectionIdentityOf(request);
      return passed.then(
        () => connectionIdentityOf(request),
        (error: unknown) => {
          throw refusalOf(error, context);
        },
      );
    } catch (error) {
      throw refusalOf(error, context);
    }
  }
}

function forbidden(): HttpException {
  return new ForbiddenException('Forbidden resource');
}

/** A `Refusal` for an HTTP exception; any other error as it is. */
function refusalOf(error: unknown, { responseHeaders }: UpgradeContext): unknown {
  if (!(error instanceof HttpException)) return error;
  const status = error.getStatus();
  // Also a status that is none, such as that of another server's answer that never came.
  if (!Number.isInteger(status) || status >= 500 || status < 400)
    return new Refusal(
      503,
      undecided,
      { 'Retry-After': String(retryAfter(responseHeaders)) },
      undefined,
      reasonOf(error),
    );
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(responseHeaders)) {
    if (!ownHeaders.has(name)) headers[name] = String(value);
  }
  if (status === 401) headers['www-authenticate'] ??= 'Bearer';
  if (status === 429) headers['retry-after'] ??= '1';
  return new Refusal(status, messageOf(error), headers, undefined, reasonOf(error));
}

function retryAfter(headers: Readonly<Record<string, unknown>>): number {
  return Number(headers['retry-after']) || 1;
}

function messageOf(error: HttpException): string {
  const answer = error.getResponse();
  const said: unknown = typeof answer === 'string' ? answer : (answer as { message?: unknown }).message;
  return (typeof said === 'string' ? said : error.message).slice(0, 200);
}
