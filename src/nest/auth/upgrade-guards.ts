import { type IncomingMessage, ServerResponse } from 'node:http';
import { HttpException } from '@nestjs/common';
import type { ExternalContextCreator } from '@nestjs/core';
import type { ConnectionIdentity } from '../../core/ports/identity.js';
import { Refusal } from '../../ws/refusal.js';
import type { LiveGateway } from '../gateway/live.gateway.js';
import { connectionIdentityOf } from './connection-identity.js';
import { reasonOf } from './refusal.js';

type RunGuards = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

/** Headers of a guard's answer that are ours to write. */
const ownHeaders = new Set(['connection', 'content-length', 'content-type', 'transfer-encoding', 'date']);

const undecided = 'The handshake could not be decided';

const nobody: ConnectionIdentity = { user: null };

/** Runs the real Nest guards in front of an upgrade, as if it were a controller's route. [L-1.6] */
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
   * Who is there, if all guards say yes. Throws a `Refusal`, or what a guard threw that is no HTTP answer.
   *
   * @param address the client's, which guards find as `request.ip`
   */
  async authenticate(request: IncomingMessage, address: string): Promise<ConnectionIdentity> {
    return (await this.identify(request, address)) ?? nobody;
  }

  /** As `authenticate`, but `null` where no guard has named anybody. */
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

/** A response that goes nowhere but remembers its headers, with the names that Express and Fastify guards use. */
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
