import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cancel } from '../core/ports/clock.js';
import type { ConnectionIdentity } from '../core/ports/identity.js';
import type { Candidate } from '../ws/candidate.js';
import { type Refusal, respond } from '../ws/refusal.js';

/** A plain request as it came in. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client's address. */
  readonly address: string;
  /** The clock's time at its arrival. */
  readonly startedMs: number;
  /** Headers that let the page read the answer; none if it may not. */
  readonly cors: Readonly<Record<string, string>>;
}

/** A plain request that the rules of handshakes decide on. */
export abstract class HttpCandidate implements Candidate {
  abstract readonly opens: boolean;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly address: string;
  readonly handshakeStartedMs: number;
  protected readonly cors: Readonly<Record<string, string>>;
  private over = false;
  private unwatch: (() => void) | undefined;
  private cancelDeadline: Cancel | undefined;

  constructor({ request, response, address, startedMs, cors }: Exchange) {
    this.request = request;
    this.response = response;
    this.address = address;
    this.handshakeStartedMs = startedMs;
    this.cors = cors;
  }

  abstract fault(): Refusal | undefined;

  abstract admit(identity: ConnectionIdentity): void;

  watch(onGone: () => void, cancelDeadline: Cancel): void {
    const { response } = this;
    this.cancelDeadline = cancelDeadline;
    response.once('close', onGone);
    this.unwatch = () => response.off('close', onGone);
    if (response.destroyed) onGone();
  }

  end(): boolean {
    if (this.over) return false;
    this.over = true;
    this.unwatch?.();
    return true;
  }

  settled(): void {
    this.cancelDeadline?.();
  }

  refuse(refusal: Refusal): void {
    const { request, response } = this;
    if (response.destroyed) return;
    // An unread body would make the kernel reset the socket and drop the answer.
    request.resume();
    respond(response, refusal, this.cors);
  }

  drop(): void {
    this.response.destroy();
  }
}
