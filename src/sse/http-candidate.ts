import type { IncomingMessage, ServerResponse } from 'node:http';
import { Candidate } from '../ws/pending-handshake.js';
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
export abstract class HttpCandidate extends Candidate {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly address: string;
  readonly handshakeStartedMs: number;
  protected readonly cors: Readonly<Record<string, string>>;

  constructor({ request, response, address, startedMs, cors }: Exchange) {
    super();
    this.request = request;
    this.response = response;
    this.address = address;
    this.handshakeStartedMs = startedMs;
    this.cors = cors;
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

  protected get hasLeft(): boolean {
    return this.response.destroyed;
  }

  protected listen(onGone: () => void): () => void {
    const { response } = this;
    response.once('close', onGone);
    return () => response.off('close', onGone);
  }
}
