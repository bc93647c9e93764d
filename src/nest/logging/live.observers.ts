import { Logger } from '@nestjs/common';
import type { LiveConnection } from '../../core/ports/connection.js';
import type {
  Healed,
  RateLimitOutcome,
  Observer,
  PublishRefusals,
  RightOutcome,
} from '../../core/ports/observer.js';
import type { ErrorCode } from '../../protocol/codes.js';
import type { HandshakeResult } from '../../ws/refusal.js';
import { logEntry } from './log-entry.js';

export type { HandshakeResult };

/**
 * Receives the events of the live server. Methods must not block. `failed` receives every failure
 * of the server and of the application's handlers, hooks and topics, so an error tracker belongs
 * there.
 */
export interface LiveObserver extends Observer {
  /**
   * An upgrade was decided; `address` is the client's. `reason` says for the log why it was
   * refused. It may contain the application's own words but no credential, and is not suitable as a
   * metric label.
   */
  handshake(result: HandshakeResult, address: string, reason?: string): void;
  /** A credential sent over an open connection was refused; `reason` as above. */
  credentialRefused(reason: string): void;
  /** A silent socket of the own port was closed to make room for a newer one. */
  droppedSilent(): void;
}

/**
 * Where an application registers observers of its own. Inject it into a provider:
 * `observers.add({ failed: (doing, error) => captureException(error) })`.
 */
export abstract class LiveObservers {
  /** Adds an observer. Errors that it throws or rejects with are logged and stop nothing. */
  abstract add(observer: Partial<LiveObserver>): void;
}

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

type Member = ((...args: readonly unknown[]) => unknown) | undefined;

// An object instead of a list, so that the compiler reports a missing name.
const members: Readonly<Record<keyof LiveObserver, true>> = {
  opened: true,
  closed: true,
  inbound: true,
  outbound: true,
  tooFast: true,
  authorized: true,
  readingPaused: true,
  refused: true,
  failed: true,
  healed: true,
  suspected: true,
  restarted: true,
  availability: true,
  versionRefused: true,
  publishing: true,
  handshake: true,
  credentialRefused: true,
  droppedSilent: true,
};

/** Wraps an observer so that its methods never throw or reject. */
function guarded(
  observer: Partial<LiveObserver>,
  threw: (member: string, error: unknown) => void,
): Partial<LiveObserver> {
  const safe: Record<string, Member> = {};
  for (const name of Object.keys(members) as (keyof LiveObserver)[]) {
    if (typeof observer[name] !== 'function') continue;
    const failed = (error: unknown): void => threw(name, error);
    // No method takes more than three arguments, and rest parameters would cost more than the call.
    safe[name] = (one, two, three) => {
      try {
        const result = (observer[name] as NonNullable<Member>).call(observer, one, two, three);
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    };
  }
  return safe as Partial<LiveObserver>;
}
