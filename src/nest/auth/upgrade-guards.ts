import { type IncomingMessage, ServerResponse } from 'node:http';
import { HttpException } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import { Refusal } from '../../ws/refusal.js';
import type { LiveGateway } from '../gateway/live.gateway.js';
import { connectionIdentityOf } from './connection-identity.js';
import { reasonOf } from './refusal.js';

type RunGuards = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

/** Response headers that the server writes itself. */
const ownHeaders = new Set(['connection', 'content-length', 'content-type', 'transfer-encoding', 'date']);

const undecided = 'The handshake could not be decided';

const nobody: ConnectionIdentity = { user: null };

/** Runs the application's Nest guards before an upgrade, as for a controller's route. [L-1.6] */
export class UpgradeGuards {
  private readonly run: RunGuards;

  constructor(contexts: ExternalContextCreator, gateway: LiveGateway) {
    this.run = contexts.create(
      gateway as unknown as Record<string, (...args: unknown[]) => unknown>,
      gateway.handleUpgrade as (...args: unknown[]) => unknown,
      'handleUpgrade',
      undefined,
      undefined,
      undefined,
      undefined,
      { guards: true, interceptors: false, filters: false },
      'http',
    ) as RunGuards;
  }

  /**
   * Resolves to the identity if all guards accept. Throws a `Refusal`, or a guard's own error if it
   * is not an HTTP answer.
   *
   * @param address - the client's, available to guards as `request.ip`
   */
  async authenticate(request: IncomingMessage, address: string): Promise<ConnectionIdentity> {
    return (await this.identify(request, address)) ?? nobody;
  }

  /** Like `authenticate`, but resolves to `null` if no guard reported a user. */
  async identify(request: IncomingMessage, address: string): Promise<ConnectionIdentity | null> {
    const response = new UpgradeResponse(request);
    Object.defineProperty(request, 'ip', { value: address, configurable: true, writable: true });
    try {
      await this.run(request, response);
    } catch (error) {
      throw error instanceof HttpException ? refusalOf(error, response) : error;
    }
    return connectionIdentityOf(request);
  }
}

/**
 * A response that is never sent but keeps its headers, with the methods that Express and Fastify
 * guards use.
 */
class UpgradeResponse extends ServerResponse {
  header(name: string, value: string | number): this {
    return this.setHeader(name, String(value));
  }
}

function refusalOf(error: HttpException, response: ServerResponse): Refusal {
  const status = error.getStatus();
  if (status >= 500 || status < 400)
    return new Refusal(
      503,
      undecided,
      { 'Retry-After': String(retryAfter(response)) },
      undefined,
      reasonOf(error),
    );
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.getHeaders())) {
    if (!ownHeaders.has(name)) headers[name] = String(value);
  }
  if (status === 401) headers['www-authenticate'] ??= 'Bearer';
  if (status === 429) headers['retry-after'] ??= '1';
  return new Refusal(status, messageOf(error), headers, undefined, reasonOf(error));
}

function retryAfter(response: ServerResponse): number {
  return Number(response.getHeader('retry-after')) || 1;
}

function messageOf(error: HttpException): string {
  const answer = error.getResponse();
  const said: unknown = typeof answer === 'string' ? answer : (answer as { message?: unknown }).message;
  return (typeof said === 'string' ? said : error.message).slice(0, 200);
}
