import type { LiveConnection } from '../../core/ports/connection.js';
import type { Healed, RateLimitOutcome, RightOutcome } from '../../core/ports/observer.js';
import { CloseCode, type ErrorCode, errorCodes } from '../../protocol/codes.js';
import type { ServerMessage } from '../../protocol/messages.js';
import type { ClientMessage } from '../../protocol/client-messages.js';
import type { HandshakeResult } from '../../ws/refusal.js';
import type { LiveObserver } from '../logging/live-observer.js';
import { LabelCounts } from './label-counts.js';

/**
 * Message types counted separately in each direction; an application's own come after the
 * protocol's.
 */
const maxMessageTypes = 50;

// Objects instead of lists, so that the compiler reports a missing name.
const inboundTypes: Record<ClientMessage['type'] | 'invalid' | 'unknown', true> = {
  subscribe: true,
  unsubscribe: true,
  publish: true,
  auth: true,
  ping: true,
  invalid: true,
  unknown: true,
};

const outboundTypes: Record<ServerMessage['type'], true> = {
  welcome: true,
  subscribed: true,
  page: true,
  event: true,
  lost: true,
  unsubscribed: true,
  published: true,
  pong: true,
  authenticated: true,
  incoming: true,
  draining: true,
  error: true,
};

const handshakeResults: Record<HandshakeResult, true> = {
  accepted: true,
  malformed: true,
  unauthorized: true,
  forbidden: true,
  origin: true,
  'not-found': true,
  'wrong-version': true,
  'upgrade-missing': true,
  'proxy-protocol': true,
  'request-timeout': true,
  'headers-too-large': true,
  'too-many': true,
  'max-connections': true,
  'max-connections-per-address': true,
  'max-connections-per-user': true,
  'max-pending': true,
  'max-pending-per-address': true,
  unavailable: true,
  aborted: true,
};

const outcomes: Record<Healed, true> = {
  healed: true,
  lost: true,
  continued: true,
  'new-epoch': true,
};

const results: Record<'done' | 'failed', true> = { done: true, failed: true };

/** Close codes from `ws` or a well-behaved peer, besides our own. */
const transportCodes = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];

const rightOutcomes: Record<RightOutcome, true> = {
  allowed: true,
  denied: true,
  failed: true,
  late: true,
  unavailable: true,
};

const heldBack: Record<RateLimitOutcome, true> = {
  refused: true,
  closed: true,
  unsettled: true,
  replay: true,
};

/**
 * Counts events of the live server in plain numbers: a scrape reads them, the hot path only adds.
 */
export class LiveTally implements Partial<LiveObserver> {
  readonly inboundByType = new LabelCounts(Object.keys(inboundTypes), maxMessageTypes);
  readonly outboundByType = new LabelCounts(Object.keys(outboundTypes), maxMessageTypes);
  readonly handshakesByResult = new LabelCounts(Object.keys(handshakeResults));
  readonly closesByCode = new LabelCounts(
    [...new Set([...transportCodes, ...Object.values(CloseCode)])].map(String),
  );
  readonly healedByOutcome = new LabelCounts(Object.keys(outcomes));
  readonly restartsByResult = new LabelCounts(Object.keys(results));
  suspicionsTotal = 0;
  readonly tooFastByResult = new LabelCounts(Object.keys(heldBack));
  readonly authorizationsByOutcome = new LabelCounts(Object.keys(rightOutcomes));
  readonly errorsByCode = new LabelCounts(errorCodes);
  failuresTotal = 0;
  readingPausesTotal = 0;
  droppedSilentTotal = 0;
  credentialsRefusedTotal = 0;
  versionsRefusedTotal = 0;

  inbound(type: string): void {
    this.inboundByType.add(type, 1);
  }

  outbound(type: string, count: number): void {
    this.outboundByType.add(type, count);
  }

  handshake(result: HandshakeResult): void {
    this.handshakesByResult.add(result, 1);
  }

  closed(_connection: LiveConnection, code: number): void {
    this.closesByCode.add(String(code), 1);
  }

  tooFast(_connection: LiveConnection, result: RateLimitOutcome): void {
    this.tooFastByResult.add(result, 1);
  }

  authorized(_right: 'canSubscribe' | 'canPublish', outcome: RightOutcome): void {
    this.authorizationsByOutcome.add(outcome, 1);
  }

  refused(code: ErrorCode): void {
    this.errorsByCode.add(code, 1);
  }

  healed(how: Healed): void {
    this.healedByOutcome.add(how, 1);
  }

  restarted(how: 'done' | 'failed', count: number): void {
    this.restartsByResult.add(how, count);
  }

  suspected(): void {
    this.suspicionsTotal += 1;
  }

  failed(): void {
    this.failuresTotal += 1;
  }

  versionRefused(): void {
    this.versionsRefusedTotal += 1;
  }

  readingPaused(): void {
    this.readingPausesTotal += 1;
  }

  droppedSilent(): void {
    this.droppedSilentTotal += 1;
  }

  credentialRefused(): void {
    this.credentialsRefusedTotal += 1;
  }
}
