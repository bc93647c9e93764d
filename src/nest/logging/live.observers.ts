import { Logger } from '@nestjs/common';
import type { LiveConnection } from '../../core/ports/connection.js';
import type { Healed, RateLimitOutcome, PublishRefusals, RightOutcome } from '../../core/ports/observer.js';
import type { ErrorCode } from '../../protocol/codes.js';
import type { HandshakeResult } from '../../ws/refusal.js';
import { logEntry } from './log-entry.js';
import { guarded } from './guarded-observer.js';
import { type LiveObserver, LiveObservers } from './live-observer.js';

export type { HandshakeResult };

/** Forwards events to all observers: the log, the metrics, and the application's own. */
export class ObserverList extends LiveObservers implements LiveObserver {
  private readonly observers: Partial<LiveObserver>[] = [];
  private readonly logger = new Logger('Live');
  private threwMs = -Infinity;

  add(observer: Partial<LiveObserver>): void {
    this.observers.push(guarded(observer, (member, err) => this.threw(member, err)));
  }

  /** Goes to the log only: `failed` would call the failing observer again. */
  private threw(member: string, err: unknown): void {
    const now = Date.now();
    if (now - this.threwMs < 1_000) return;
    this.threwMs = now;
    this.logger.error(logEntry({ msg: 'an observer failed', member, err }));
  }

  opened(connection: LiveConnection): void {
    for (const observer of this.observers) observer.opened?.(connection);
  }

  closed(connection: LiveConnection, code: number, reason: string): void {
    for (const observer of this.observers) observer.closed?.(connection, code, reason);
  }

  inbound(type: string): void {
    for (const observer of this.observers) observer.inbound?.(type);
  }

  outbound(type: string, count: number): void {
    for (const observer of this.observers) observer.outbound?.(type, count);
  }

  tooFast(connection: LiveConnection, result: RateLimitOutcome): void {
    for (const observer of this.observers) observer.tooFast?.(connection, result);
  }

  authorized(right: 'canSubscribe' | 'canPublish', outcome: RightOutcome): void {
    for (const observer of this.observers) observer.authorized?.(right, outcome);
  }

  readingPaused(connection: LiveConnection): void {
    for (const observer of this.observers) observer.readingPaused?.(connection);
  }

  refused(code: ErrorCode): void {
    for (const observer of this.observers) observer.refused?.(code);
  }

  failed(doing: string, error: unknown, connection?: LiveConnection): void {
    for (const observer of this.observers) observer.failed?.(doing, error, connection);
  }

  healed(how: Healed, topic: string): void {
    for (const observer of this.observers) observer.healed?.(how, topic);
  }

  suspected(): void {
    for (const observer of this.observers) observer.suspected?.();
  }

  restarted(how: 'done' | 'failed', count: number): void {
    for (const observer of this.observers) observer.restarted?.(how, count);
  }

  availability(available: boolean): void {
    for (const observer of this.observers) observer.availability?.(available);
  }

  handshake(result: HandshakeResult, address: string, reason?: string): void {
    for (const observer of this.observers) observer.handshake?.(result, address, reason);
  }

  credentialRefused(reason: string): void {
    for (const observer of this.observers) observer.credentialRefused?.(reason);
  }

  droppedSilent(): void {
    for (const observer of this.observers) observer.droppedSilent?.();
  }

  versionRefused(topic: string): void {
    for (const observer of this.observers) observer.versionRefused?.(topic);
  }

  publishing(refusals: PublishRefusals | undefined): void {
    for (const observer of this.observers) observer.publishing?.(refusals);
  }
}
